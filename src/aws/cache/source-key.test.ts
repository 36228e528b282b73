import { describe, expect, it } from 'vitest';
import type { ObjectSource, Store } from '../../model/mount-spec.ts';
import { isPinned, sourceKey } from './source-key.ts';

describe('sourceKey', () => {
  it('is equal for equal requests', () => {
    const asked = { name: 'db', version: '1', label: 'x' };

    expect(sourceKey('secretsmanager', { label: 'x', version: '1', name: 'db' })).toBe(
      sourceKey('secretsmanager', asked),
    );
  });

  it('differs if the response of a store may differ', () => {
    const questions: readonly (readonly [Store, ObjectSource])[] = [
      ['secretsmanager', { name: 'db' }],
      ['ssmparameter', { name: 'db' }],
      ['secretsmanager', { name: 'DB' }],
      ['secretsmanager', { name: 'db', version: 'x' }],
      ['secretsmanager', { name: 'db', label: 'x' }],
      ['secretsmanager', { name: 'db', version: 'x', label: 'x' }],
      ['secretsmanager', { name: 'db","x",null]' }],
      ['secretsmanager', { name: 'db","x', label: 'x' }],
      ['ssmparameter', { name: 'db:x' }],
      ['ssmparameter', { name: 'db', label: 'x' }],
    ];

    expect(new Set(questions.map(([store, source]) => sourceKey(store, source))).size).toBe(questions.length);
  });
});

describe('isPinned', () => {
  it.for([
    ['a secret', 'secretsmanager', { name: 'db' }, false],
    ['a secret by stage', 'secretsmanager', { name: 'db', label: 'AWSPREVIOUS' }, false],
    ['a secret by version', 'secretsmanager', { name: 'db', version: 'e1d2' }, true],
    ['a secret by both', 'secretsmanager', { name: 'db', version: 'e1d2', label: 'blue' }, true],
    ['a parameter', 'ssmparameter', { name: '/db' }, false],
    ['a parameter by label', 'ssmparameter', { name: '/db', label: 'blue' }, false],
    ['a parameter by version', 'ssmparameter', { name: '/db', version: '12' }, true],
    ['a parameter with the version in its name', 'ssmparameter', { name: '/db:12' }, true],
    ['a parameter with a label in its name', 'ssmparameter', { name: '/db:blue' }, false],
    ['a parameter with a label that begins like a version', 'ssmparameter', { name: '/db', label: 'v12' }, false],
    ['an ARN with a version', 'ssmparameter', { name: 'arn:aws:ssm:us-east-1:123456789012:parameter/db:12' }, true],
    ['an ARN', 'ssmparameter', { name: 'arn:aws:ssm:us-east-1:123456789012:parameter/12' }, false],
  ] as const satisfies [string, Store, ObjectSource, boolean][])('of %s', ([, store, source, pinned]) => {
    const object = {
      store,
      name: source.name,
      path: 'f',
      mode: 0o644,
      primary: source,
      failover: source,
      extractions: [],
    };

    expect(isPinned({ object, source })).toBe(pinned);
  });
});
