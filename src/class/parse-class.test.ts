import { describe, expect, it } from 'vitest';
import { acceptedClasses } from '../../test/parity/accepted-classes.ts';
import { acceptedSpellings } from '../../test/parity/accepted-spellings.ts';
import { refusedFiles } from '../../test/parity/refused-files.ts';
import { refusedObjects } from '../../test/parity/refused-objects.ts';
import { refusedParameters } from '../../test/parity/refused-parameters.ts';
import { parseClass, problemsError } from './parse-class.ts';

const CONTEXT = { region: 'us-west-2', mode: 0o644 };

function parse(
  parameters: { readonly [parameter: string]: string },
  context: Parameters<typeof parseClass>[1] = CONTEXT,
) {
  return parseClass(new Map(Object.entries(parameters)), context);
}

function messagesOf(result: ReturnType<typeof parseClass>): readonly string[] {
  return result.ok ? [] : result.problems.map(({ message }) => message);
}

/** The objects of a spec; empty if there is none. */
function summaryOf(result: ReturnType<typeof parseClass>) {
  const spec = result.ok ? result.spec : { regions: [], authentication: undefined, objects: [] };
  return {
    problems: messagesOf(result),
    files: spec.objects.flatMap((object) => [object, ...object.extractions]).map(({ path, mode }) => [path, mode]),
    regions: spec.regions,
    authentication: spec.authentication,
    asks: spec.objects.slice(0, 1).flatMap(({ primary, failover }) => [primary, failover]),
  };
}

describe('parseClass accepts', () => {
  it.for([...acceptedClasses, ...acceptedSpellings])('$name', (accepted) => {
    const summary = summaryOf(parse(accepted.parameters));

    expect({ ...accepted, ...summary }).toEqual({ ...summary, ...accepted, problems: [] });
  });

  it('the mode of the request if the class sets none', () => {
    const result = parse(
      { objects: '[{objectName: a, objectType: ssmparameter, jmesPath: [{path: p, objectAlias: b}]}]' },
      { region: 'us-west-2', mode: 0o400 },
    );

    expect(result).toMatchObject({ spec: { objects: [{ mode: 0o400, extractions: [{ mode: 0o400 }] }] } });
  });

  it.for([
    ['10s', 10_000],
    ['1h30m', 5_400_000],
    ['24h', 86_400_000],
    ['', undefined],
  ] as const)('a rotationPollInterval of "%s"', ([rotationPollInterval, pollIntervalMs]) => {
    const result = parse({ rotationPollInterval });

    expect(result).toMatchObject({ ok: true, warnings: [] });
    expect(result.ok && result.spec.pollIntervalMs).toBe(pollIntervalMs);
  });

  it('an ARN of any region if the region is not known', () => {
    const result = parse(
      { objects: '[{objectName: "arn:aws:ssm:eu-west-1:1:parameter/x"}]' },
      { region: undefined, mode: 0o644 },
    );

    expect(messagesOf(result)).toEqual([]);
  });
});

describe('parseClass refuses', () => {
  it.for([...refusedParameters, ...refusedObjects, ...refusedFiles])('$name', ({ parameters, says }) => {
    const messages = messagesOf(parse(parameters));

    expect(messages).toHaveLength(says.length);
    for (const [index, pieces] of says.entries()) {
      for (const piece of pieces) {
        expect(messages[index]).toContain(piece);
      }
    }
  });

  it.for(['9.999s', '0', '-1m', 'often', '30', '25h', `${'9'.repeat(400)}h`])(
    'a rotationPollInterval of "%s", which would poll AWS too often or never',
    (rotationPollInterval) => {
      const result = parse({ rotationPollInterval });

      expect(result).toMatchObject({
        ok: false,
        problems: [{ parameter: 'rotationPollInterval', message: expect.stringContaining('from 10s to 24h') }],
      });
    },
  );

  it('an ARN of another region than the one that the class names', () => {
    const result = parse(
      { region: 'us-east-1', objects: '[{objectName: "arn:aws:ssm:eu-west-1:1:parameter/x"}]' },
      { region: undefined, mode: 0o644 },
    );

    expect(messagesOf(result)).toEqual([expect.stringContaining('ARN region must match region us-east-1')]);
  });
});

describe('parseClass reports', () => {
  it('the parameter, object and offset of a problem', () => {
    const objects = '- objectName: a\n  objectType: ssm\n';

    const result = parse({ objects });

    expect(result).toMatchObject({
      problems: [{ parameter: 'objects', object: 'a', offset: objects.indexOf('ssm') }],
    });
  });

  it('what is ignored, and where, as a warning', () => {
    const objects = '- objectName: a\n  objectType: ssmparameter\n  objectVersionlable: x\n';

    const result = parse({ objects, Region: 'x', secretProviderClass: 'c', preferredAddressType: 'v4' });

    expect(result.ok).toBe(true);
    expect(result.warnings).toEqual([
      { message: expect.stringContaining('"Region"'), parameter: 'Region' },
      { message: expect.stringContaining('"v4" counts as auto'), parameter: 'preferredAddressType' },
      {
        message: expect.stringMatching(/objects\[0\] "a": .*"objectVersionlable".*objectVersionLabel/),
        parameter: 'objects',
        object: 'a',
        offset: objects.indexOf('objectVersionlable'),
      },
    ]);
  });
});

const type = 'objectType: secretsmanager';

function entries(count: number, entryOf: (index: number) => string): string {
  return `[${Array.from({ length: count }, (_, index) => entryOf(index)).join(',')}]`;
}

function classOf(perObject: number): string {
  return entries(20, (of) => {
    const list = entries(perObject, (index) => `{path: a, objectAlias: ${of}-${index}}`);
    return `{objectName: a${of}, ${type}, jmesPath: ${list}}`;
  });
}

describe('parseClass bounds', () => {
  it('how many objects a class may list', () => {
    const most = parse({ objects: entries(500, (index) => `{objectName: a${index}, ${type}}`) });
    const more = parse({ objects: entries(501, (index) => `{objectName: a${index}, ${type}}`) });

    expect(most.ok).toBe(true);
    expect(messagesOf(more)).toEqual([expect.stringContaining('more than the 500')]);
  });

  it('how many entries all its jmesPath lists may have', () => {
    expect(parse({ objects: classOf(100) }).ok).toBe(true);
    expect(messagesOf(parse({ objects: classOf(101) }))).toEqual([expect.stringContaining('more than 2000 entries')]);
  });

  it.for([
    ['objectName', 2048],
    ['objectVersion', 64],
    ['objectVersionLabel', 256],
    ['objectAlias', 2048],
  ] as const)('how long %s may be', ([field, longest]) => {
    const other = field === 'objectName' ? '' : 'objectName: a, ';
    const objects = `[{${other}${field}: ${'x'.repeat(longest + 1)}, ${type}}]`;

    expect(messagesOf(parse({ objects }))).toEqual([
      expect.stringContaining(`${field}: it is ${longest + 1} characters long, more than the ${longest} allowed`),
    ]);
  });

  it('how many directories its files need', () => {
    const objects = entries(100, (index) => `{objectName: ${index}${'/d'.repeat(25)}, ${type}}`);

    const [first] = messagesOf(parse({ objects, pathTranslation: 'False' }));

    expect(first).toContain('the 2000 that a volume may have');
  });

  it('how many of thousands of problems it reports, and counts the others', () => {
    const objects = entries(500, (of) => {
      const list = entries(4, () => `{path: a, objectAlias: ..}`);
      return `{objectName: a${of}, ${type}, jmesPath: ${list}}`;
    });

    const result = parse({ objects });

    expect(messagesOf(result)).toHaveLength(101);
    expect(messagesOf(result).at(-1)).toBe('and 1900 more');
    expect(problemsError(result.ok ? [] : result.problems).message).toContain('and 1950 more problems');
  });
});

describe('problemsError', () => {
  it('is one error with all problems', () => {
    const error = problemsError([
      { message: 'first', parameter: 'objects', object: 'a' },
      { message: 'second', parameter: 'region' },
    ]);

    expect(error).toMatchObject({ reason: 'InvalidParameters', message: '2 problems: (1) first; (2) second' });
  });

  it('names the object of a single problem', () => {
    const error = problemsError([{ message: 'alone', parameter: 'objects', object: 'a' }]);

    expect(error).toMatchObject({ reason: 'InvalidParameters', message: 'alone', object: 'a' });
  });

  it('counts the problems that it does not report', () => {
    const many = Array.from({ length: 5000 }, (_, index) => ({ message: `no ${index}`, parameter: 'objects' }));

    const { message } = problemsError(many);

    expect(message).toContain('(50) no 49');
    expect(message).toContain('… and 4950 more problems');
    expect(message.length).toBeLessThan(1000);
  });
});
