import { describe, expect, it } from 'vitest';
import { isParameter, parameterName, requestedName } from './parameter-name.ts';

const ARN = 'arn:aws:ssm:us-east-1:123456789012:parameter/app/db';

describe('a parameter is asked for', () => {
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

describe('an answer is for', () => {
  const wanted = { base: '/app/db', selector: 'blue' };

  it.for([
    [true, { Name: '/app/db', ARN, Selector: ':blue' }, wanted],
    [true, { Name: '/app/db', ARN, Selector: '/app/db:blue' }, wanted],
    [false, { Name: '/app/db', ARN, Selector: ':green' }, wanted],
    [false, { Name: '/app/db', ARN }, wanted],
    [false, { Name: '/app/dbx', Selector: ':blue' }, wanted],
    [true, { Name: '/app/db', ARN }, { base: '/app/db', selector: '' }],
    [false, { Name: '/app/db', ARN, Selector: ':blue' }, { base: '/app/db', selector: '' }],
    [true, { Name: '/app/db', ARN }, { base: ARN, selector: '' }],
    [true, { Name: ARN, Selector: ':3' }, { base: ARN, selector: '3' }],
  ] as const)('%s: %o answers %o', ([expected, echo, asked]) => {
    expect(isParameter(echo, asked)).toBe(expected);
  });
});
