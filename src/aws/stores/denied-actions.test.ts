import { expect, it } from 'vitest';
import { clockAt } from '../../../test/fakes/virtual-clock.ts';
import { createDeniedActions } from './denied-actions.ts';

const BATCH = 'secretsmanager:BatchGetSecretValue';
const HOUR = 3_600_000;

it('caches the denied actions of one identity, and not of another', () => {
  const deniedActionsOf = createDeniedActions(clockAt(() => 0));
  deniedActionsOf('role-a').add(BATCH);

  expect([deniedActionsOf('role-a').has(BATCH), deniedActionsOf('role-b').has(BATCH)]).toEqual([true, false]);
});

it('expires after an hour, each action separately', () => {
  let now = 0;
  const deniedActionsOf = createDeniedActions(clockAt(() => now));
  deniedActionsOf('a').add(BATCH);
  now = 1_000;
  deniedActionsOf('b').add(BATCH);

  now = HOUR;
  expect([deniedActionsOf('a').has(BATCH), deniedActionsOf('b').has(BATCH)]).toEqual([true, true]);
  now = HOUR + 1;
  expect([deniedActionsOf('a').has(BATCH), deniedActionsOf('b').has(BATCH)]).toEqual([false, true]);
  now = HOUR + 1_001;
  expect(deniedActionsOf('b').has(BATCH)).toBe(false);
});

it('counts the hour from the latest denial', () => {
  let now = 0;
  const deniedActionsOf = createDeniedActions(clockAt(() => now));
  deniedActionsOf('a').add(BATCH);
  deniedActionsOf('b').add(BATCH);
  now = 1_000;
  deniedActionsOf('a').add(BATCH);

  now = HOUR + 1;
  expect([deniedActionsOf('a').has(BATCH), deniedActionsOf('b').has(BATCH)]).toEqual([true, false]);
});
