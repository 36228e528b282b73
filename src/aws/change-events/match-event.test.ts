import { describe, expect, it } from 'vitest';
import type { ObjectSource, ObjectSpec, Store } from '../../model/mount-spec.ts';
import { indexChangeEvents } from './match-event.ts';

const REGION = 'eu-west-1';
const SECRET_ARN = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:';
const PARAMETER_ARN = 'arn:aws:ssm:eu-west-1:111122223333:parameter';

function objectOf(store: Store, primary: ObjectSource, failover = primary): ObjectSpec {
  return { store, name: primary.name, path: 'f', mode: 0o644, primary, failover, extractions: [] };
}

function matches(store: Store, id: string, object: ObjectSpec, region = REGION): boolean {
  return indexChangeEvents([{ store, id, region: REGION }])(object, region);
}

describe('a secret', () => {
  it.for<readonly [string, string, string, boolean]>([
    ['its name', 'shop/db', 'shop/db', true],
    ['another name', 'shop/db', 'shop/db2', false],
    ['another case', 'shop/DB', 'shop/db', false],
    ['its ARN, and the class its name', `${SECRET_ARN}shop/db-a1B2c3`, 'shop/db', true],
    ['its name, and the class its ARN', 'shop/db', `${SECRET_ARN}shop/db-a1B2c3`, true],
    ['its ARN, as the class', `${SECRET_ARN}shop/db-a1B2c3`, `${SECRET_ARN}shop/db-a1B2c3`, true],
    ['its ARN, and the class a part of that', `${SECRET_ARN}shop/db-a1B2c3`, `${SECRET_ARN}shop/db`, true],
    ['its name, and the class a part of its ARN', 'shop/db', `${SECRET_ARN}shop/db`, true],
    ['a name that ends like an ARN', 'shop-secret', 'shop-secret', true],
    ['its ARN, where the name ends like one', `${SECRET_ARN}shop-secret-a1B2c3`, 'shop-secret', true],
    ['another’s ARN', `${SECRET_ARN}shop/db2-a1B2c3`, `${SECRET_ARN}shop/db-a1B2c3`, false],
    ['the ARN of one whose name is longer', `${SECRET_ARN}shop/db-replica-a1B2c3`, 'shop/db', false],
  ])('that an event names by %s', ([, id, name, expected]) => {
    expect(matches('secretsmanager', id, objectOf('secretsmanager', { name }))).toBe(expected);
  });
});

describe('a parameter', () => {
  it.for<readonly [string, string, ObjectSource, boolean]>([
    ['its name', '/shop/db', { name: '/shop/db' }, true],
    ['another name', '/shop/db', { name: '/shop/db2' }, false],
    ['its name without the slash', 'db', { name: '/db' }, true],
    ['its name, and the class its ARN', '/shop/db', { name: `${PARAMETER_ARN}/shop/db` }, true],
    ['its ARN, and the class a name without the slash', `${PARAMETER_ARN}/db`, { name: 'db' }, true],
    ['its name, and the class a version', '/shop/db', { name: '/shop/db:3' }, true],
    ['its name, and the class an ARN with a label', '/shop/db', { name: `${PARAMETER_ARN}/shop/db:blue` }, true],
    ['its name, and the class a label', '/shop/db', { name: '/shop/db', label: 'blue' }, true],
  ])('that an event names by %s', ([, id, source, expected]) => {
    expect(matches('ssmparameter', id, objectOf('ssmparameter', source))).toBe(expected);
  });

  it('that refers to a secret changes with the secret', () => {
    const object = objectOf('ssmparameter', { name: '/aws/reference/secretsmanager/shop/db' });

    expect(matches('secretsmanager', `${SECRET_ARN}shop/db-a1B2c3`, object)).toBe(true);
    expect(matches('secretsmanager', 'shop/other', object)).toBe(false);
  });
});

it('matches only the store that it names', () => {
  expect(matches('ssmparameter', 'db', objectOf('secretsmanager', { name: 'db' }))).toBe(false);
  expect(matches('secretsmanager', 'db', objectOf('ssmparameter', { name: 'db' }))).toBe(false);
});

it('matches only the region that it comes from', () => {
  expect(matches('secretsmanager', 'db', objectOf('secretsmanager', { name: 'db' }), 'us-east-1')).toBe(false);
});

it('may match an object of the second region', () => {
  expect(matches('secretsmanager', 'b', objectOf('secretsmanager', { name: 'a' }, { name: 'b' }))).toBe(true);
});
