import { describe, expect, it } from 'vitest';
import { findParameter, parameterName, requestedName } from './parameter-name.ts';

const ARN = 'arn:aws:ssm:us-east-1:123456789012:parameter/app/db';

describe('a parameter is requested', () => {
  it.for([
    [{ name: '/app/db' }, '/app/db', '/app/db', ''],
    [{ name: '/app/db', version: '3' }, '/app/db:3', '/app/db', '3'],
    [{ name: '/app/db', label: 'blue' }, '/app/db:blue', '/app/db', 'blue'],
    [{ name: '/app/db:blue' }, '/app/db:blue', '/app/db', 'blue'],
    [{ name: ARN }, ARN, ARN, ''],
    [{ name: ARN, version: '3' }, `${ARN}:3`, ARN, '3'],
    [{ name: `${ARN}:blue` }, `${ARN}:blue`, ARN, 'blue'],
  ] as const)('%o as %s', ([source, requested, base, selector]) => {
    expect(parameterName(source)).toEqual({ base, selector });
    expect(requestedName(parameterName(source))).toBe(requested);
  });
});

describe('a response', () => {
  const NAME = '/app/db';
  const BLUE = { base: NAME, selector: 'blue' };
  const LATEST = { base: NAME, selector: '' };
  const LATEST_BY_ARN = { base: ARN, selector: '' };

  it.for([
    [true, { Name: NAME, ARN, Selector: ':blue' }, BLUE],
    [true, { Name: NAME, ARN, Selector: '/app/db:blue' }, BLUE],
    [false, { Name: NAME, ARN, Selector: ':green' }, BLUE],
    [false, { Name: '/app/dbx', Selector: ':blue' }, BLUE],
    [true, { Name: NAME, ARN }, LATEST],
    [false, { Name: NAME, ARN, Selector: ':blue' }, LATEST],
    [true, { Name: NAME, ARN }, LATEST_BY_ARN],
    [true, { Name: ARN, Selector: ':3' }, { base: ARN, selector: '3' }],
  ] as const)('is (%s) for the requested name: %o for %o', ([expected, echo, wanted]) => {
    expect(findParameter([echo], wanted, [wanted])).toBe(expected ? echo : undefined);
  });

  it.for([
    [true, { Name: NAME, ARN, Version: 3 }, BLUE, [BLUE]],
    [true, { Name: NAME, ARN, Version: 3 }, BLUE, [BLUE, { base: '/app/other', selector: '' }]],
    [false, { Name: NAME, ARN, Version: 3 }, BLUE, [BLUE, LATEST]],
    [false, { Name: NAME, ARN, Version: 3 }, BLUE, [BLUE, LATEST_BY_ARN]],
    [true, { Name: NAME, ARN, Version: 3 }, { base: NAME, selector: '3' }, [{ base: NAME, selector: '3' }]],
    [false, { Name: NAME, ARN, Version: 4 }, { base: NAME, selector: '3' }, [{ base: NAME, selector: '3' }]],
  ] as const)(
    'without a selector is (%s) for the requested name: %o for %o of %o',
    ([expected, echo, wanted, asked]) => {
      expect(findParameter([echo], wanted, asked)).toBe(expected ? echo : undefined);
    },
  );

  it('with two versions for one name matches neither, because it is ambiguous', () => {
    const [one, other] = [
      { Name: NAME, ARN, Version: 1 },
      { Name: NAME, ARN, Version: 2 },
    ];

    expect(findParameter([one, other], LATEST, [LATEST, BLUE])).toBeUndefined();
    expect(findParameter([one, { ...one }], LATEST, [LATEST, LATEST_BY_ARN])).toBe(one);
  });
});
