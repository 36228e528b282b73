import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from './commands.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'check-'));

interface Outcome {
  readonly code: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
}

async function checked(manifest: string, ...flags: readonly string[]): Promise<Outcome> {
  const file = join(FOLDER, 'class.yaml');
  writeFileSync(file, manifest);
  const outcome = await command('check', ...flags, file);
  return { ...outcome, out: outcome.out.map((line) => line.replace(`${FOLDER}/`, '')) };
}

async function command(...args: readonly string[]): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await run(args, {
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    signal: new AbortController().signal,
    env: {},
  });
  return { code, out, err };
}

function classOf(parameters: string, provider = 'aws'): string {
  return `apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata:
  name: shop
spec:
  provider: ${provider}
  parameters:
${parameters}`;
}

describe('check', () => {
  it('reports nothing for a valid class', async () => {
    const { code, out } = await checked(
      classOf('    objects: |\n      - objectName: db\n        objectType: secretsmanager\n'),
    );

    expect(out).toEqual(['classes: 1, errors: 0, warnings: 0']);
    expect(code).toBe(0);
  });

  it('reports file, line and column of every problem in a block', async () => {
    const manifest = classOf(
      '    pathTranslation: "--"\n    objects: |\n      - objectName: db\n        objectType: secretsmanager\n        filePermission: 999\n\n      - objectName: x\n        objectType: nope\n',
    );
    const { code, out } = await checked(manifest);

    expect(out.map((line) => line.split(': ').slice(0, 2).join(': '))).toEqual([
      'class.yaml:8:22: error',
      'class.yaml:12:25: error',
      'class.yaml:15:21: error',
      expect.stringContaining('classes: 1'),
    ]);
    expect(out.join('\n')).toContain('999');
    expect(code).toBe(1);
  });

  it('warns about ignored fields, and fails for them only with --strict', async () => {
    const manifest = classOf(
      '    objects: |\n      - objectName: db\n        objectType: secretsmanager\n        objectVersionlable: x\n',
    );

    expect(await checked(manifest)).toMatchObject({
      code: 0,
      out: [expect.stringMatching(/^class.yaml:11:9: warning: .*objectVersionlable/), expect.anything()],
    });
    expect((await checked(manifest, '--strict')).code).toBe(1);
  });

  it('validates every document, and ignores other kinds and other providers', async () => {
    const other = classOf('    keyvaultName: x\n', 'azure');
    const broken = classOf('    objects: "[{}]"\n');
    const { code, out } = await checked(`kind: Pod\n---\n${other}---\n${broken}---\n`);

    expect(out).toHaveLength(2);
    expect(out[1]).toBe('classes: 1, errors: 1, warnings: 0');
    expect(code).toBe(1);
  });

  it('reports where a manifest is not YAML', async () => {
    const { code, out } = await checked('kind: [\n');

    expect(out[0]).toMatch(/^class.yaml:\d+:\d+: error: /);
    expect(code).toBe(1);
  });

  it.for([
    [
      'a class',
      classOf('    objects: "[]"\n  secretObjects: *nope\n'),
      '9:18',
      'the alias *nope has no anchor before it',
    ],
    ['a parameter', classOf('    objects: *nope\n'), '8:14', 'the alias *nope has no anchor before it'],
    [
      'many aliases of aliases',
      `a: &a [${'x,'.repeat(20)}]\nb: &b [${'*a,'.repeat(20)}]\n${classOf(`    objects: "[]"\n  secretObjects: [${'*b,'.repeat(20)}]\n`)}`,
      '11:18',
      'spec.secretObjects: Excessive alias count',
    ],
  ] as const)('reports where aliases are unresolved or too many: %s', async ([, manifest, place, reason]) => {
    const { code, out, err } = await checked(manifest);

    expect(err).toEqual([]);
    expect(out).toEqual([
      expect.stringContaining(`class.yaml:${place}: error: ${reason}`),
      'classes: 0, errors: 1, warnings: 0',
    ]);
    expect(code).toBe(1);
  });

  it('reports parameters that the API server would refuse', async () => {
    const { out } = await checked(classOf('    usePodIdentity: true\n'));

    expect(out[0]).toMatch(/^class.yaml:8:21: error: spec.parameters.usePodIdentity must be a string/);
  });

  it('reports problems of secretObjects', async () => {
    const manifest = `apiVersion: secrets-store.csi.x-k8s.io/v1
kind: SecretProviderClass
metadata:
  name: shop
  annotations:
    aws-secrets-csi/sync-immutable: "yes"
spec:
  provider: aws
  parameters:
    objects: |
      - objectName: db
        objectType: secretsmanager
        jmesPath: [{path: a, objectAlias: db-a}]
  secretObjects:
    - secretName: db
      type: Opaque
      data:
        - {objectName: db, key: whole}
        - {objectName: db-a, key: part}
    - secretName: Db
      data:
        - objectName: DB
          key: a/b
`;
    const { code, out } = await checked(manifest);

    expect(out.map((line) => line.split(':').slice(1, 4).join(':'))).toEqual([
      '6:37: error',
      '20:19: error',
      '20:7: error',
      '22:23: error',
      '23:16: error',
      ' 1, errors: 5, warnings: 0',
    ]);
    expect(out.join('\n')).toContain('"DB" is not a file of the volume, which has "db", "db-a"');
    expect(code).toBe(1);
  });

  it('reports nothing for valid secretObjects, and does not compare them with the files of an invalid class', async () => {
    const secrets = '  secretObjects:\n    - {secretName: db, type: Opaque, data: [{objectName: db, key: a}]}\n';
    const good = '    objects: |\n      - objectName: db\n        objectType: secretsmanager\n';

    expect((await checked(classOf(good) + secrets)).out).toEqual(['classes: 1, errors: 0, warnings: 0']);
    expect((await checked(classOf(good.replace('secretsmanager', 'nope')) + secrets)).out.at(-1)).toContain(
      'errors: 1,',
    );
  });

  it('reports annotations that the API server would refuse', async () => {
    const manifest = classOf('    objects: "[]"\n').replace('  name: shop', '  annotations: {a/b: true}');

    expect((await checked(manifest)).out[0]).toBe(
      'class.yaml:4:22: error: metadata.annotations.a/b must be a string: quote it',
    );
  });

  it('compares ARNs with a region only if one is known', async () => {
    const arn = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf';
    const manifest = classOf(`    objects: '[{objectName: "${arn}"}]'\n`);

    expect((await checked(manifest)).code).toBe(0);
    expect((await checked(manifest, '--aws-region=us-east-1')).out[0]).toContain(
      'ARN region must match region us-east-1',
    );
  });

  it.for([
    [['check'], 'name a manifest file'],
    [['check', '--no-such-flag', 'x'], '--no-such-flag'],
    [['check', '/no/such/file.yaml'], 'cannot read /no/such/file.yaml'],
    [['mount', '/no/such/file.yaml'], '--target'],
    [
      ['mount', '/no/such/file.yaml', '--target=/x', '--timeout=abc'],
      '--timeout: expected seconds above 0 and up to 86400, not "abc"',
    ],
    [['mount', '/no/such/file.yaml', '--target=/x', '--timeout='], '--timeout: expected'],
    [['mount', '/no/such/file.yaml', '--target=/x', '--timeout=0'], '--timeout: expected'],
    [['mount', '/no/such/file.yaml', '--target=/x', '--timeout=Infinity'], '--timeout: expected'],
    [['nope'], 'no command "nope"'],
  ] as const)('exits with 2 and a reason when called as %s', async ([args, reason]) => {
    const { code, err } = await command(...args);

    expect(code).toBe(2);
    expect(err.join('\n')).toContain(reason);
  });

  it.for([['help'], ['--help'], ['check', '--help'], ['mount', '-h'], ['version'], ['--version']] as const)(
    'answers %s',
    async (args) => {
      const { code, out } = await command(...args);

      expect(code).toBe(0);
      expect(out.join('\n')).toContain('aws-secrets-csi');
    },
  );
});
