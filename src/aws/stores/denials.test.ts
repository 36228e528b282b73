import { expect, it } from 'vitest';
import { clockAt } from '../../../test/fakes/virtual-clock.ts';
import { createDenialBook } from './denials.ts';

const BATCH = 'secretsmanager:BatchGetSecretValue';
const HOUR = 3_600_000;

it('remembers what an identity may not do, and nothing of another', () => {
  const denialsOf = createDenialBook(clockAt(() => 0));
  denialsOf('role-a').add(BATCH);

  expect([denialsOf('role-a').has(BATCH), denialsOf('role-b').has(BATCH)]).toEqual([true, false]);
});

it('has it tried again after an hour, each by itself', () => {
  let now = 0;
  const denialsOf = createDenialBook(clockAt(() => now));
  denialsOf('a').add(BATCH);
  now = 1_000;
  denialsOf('b').add(BATCH);

  now = HOUR - 1;
  expect([denialsOf('a').has(BATCH), denialsOf('b').has(BATCH)]).toEqual([true, true]);
  now = HOUR;
  expect([denialsOf('a').has(BATCH), denialsOf('b').has(BATCH)]).toEqual([false, true]);
  now = HOUR + 1_000;
  expect(denialsOf('b').has(BATCH)).toBe(false);
});

it('counts the hour from the latest denial', () => {
  let now = 0;
  const denialsOf = createDenialBook(clockAt(() => now));
  denialsOf('a').add(BATCH);
  denialsOf('b').add(BATCH);
  now = 1_000;
  denialsOf('a').add(BATCH);

  now = HOUR;
  expect([denialsOf('a').has(BATCH), denialsOf('b').has(BATCH)]).toEqual([true, false]);
});
