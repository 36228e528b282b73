import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createKeyedLock } from './keyed-lock.ts';

it('runs the work of one key one at a time, in the order of the calls', async () => {
  const lock = createKeyedLock();
  const log: string[] = [];

  const names = ['first', 'second', 'third'];
  await Promise.all(
    names.map((name) =>
      lock.withLock('key', async () => {
        log.push(`${name} starts`);
        await nextTurn();
        log.push(`${name} ends`);
      }),
    ),
  );

  expect(log).toEqual(['first starts', 'first ends', 'second starts', 'second ends', 'third starts', 'third ends']);
});

it('runs different keys concurrently', async () => {
  const lock = createKeyedLock();
  const { promise: opened, resolve: open } = Promise.withResolvers<string>();

  const waiting = lock.withLock('one', () => opened);
  await lock.withLock('other', async () => open('by the other'));

  await expect(waiting).resolves.toBe('by the other');
});

it('continues after work that fails, and throws the failure to its own caller', async () => {
  const lock = createKeyedLock();

  const failing = lock.withLock('key', () => Promise.reject(new Error('broken')));
  const next = lock.withLock('key', async () => 'served');

  await expect(failing).rejects.toThrow('broken');
  await expect(next).resolves.toBe('served');
});

it('removes a key when its last work has ended, and not before', async () => {
  const lock = createKeyedLock();
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();

  const both = [lock.withLock('key', () => gate), lock.withLock('key', () => Promise.reject(new Error('broken')))];
  const sizeWhileBusy = lock.size;
  open();
  await Promise.allSettled(both);

  expect(sizeWhileBusy).toBe(1);
  expect(lock.size).toBe(0);
});
