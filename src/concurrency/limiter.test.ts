import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createLimiter } from './limiter.ts';

const { signal } = new AbortController();
const place = { lane: 'k', party: ['p'] };

describe('a limiter', () => {
  it('runs as many as allowed per key, and the rest in order of arrival', async () => {
    const limiter = createLimiter(2);
    const started: string[] = [];
    const tasks = [1, 2, 3, 4, 5].map((number) => ({
      key: number === 5 ? 'other' : 'k',
      name: `task ${number}`,
      done: Promise.withResolvers<void>(),
    }));
    const running = tasks.map(({ key, name, done }) =>
      limiter.run(
        { lane: key, party: ['p'] },
        () => {
          started.push(name);
          return done.promise;
        },
        signal,
      ),
    );

    await setImmediate();
    expect(started).toEqual(['task 1', 'task 2', 'task 5']);

    tasks[1]!.done.resolve();
    await setImmediate();
    expect(started).toEqual(['task 1', 'task 2', 'task 5', 'task 3']);

    for (const { done } of tasks) {
      done.resolve();
    }
    await Promise.all(running);
    expect(started.at(-1)).toBe('task 4');
  });

  it('frees the slot of a failed task', async () => {
    const limiter = createLimiter(1);

    await expect(limiter.run(place, () => Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
    expect(await limiter.run(place, () => Promise.resolve('next'), signal)).toBe('next');
  });

  it('releases a waiting task when its signal aborts, and starts the next one', async () => {
    const limiter = createLimiter(1);
    const first = Promise.withResolvers<string>();
    const cancelling = new AbortController();
    const running = limiter.run(place, () => first.promise, signal);
    const waiting = limiter.run(place, () => Promise.resolve('never'), cancelling.signal);
    const patient = limiter.run(place, () => Promise.resolve('third'), signal);

    cancelling.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    first.resolve('first');

    expect(await Promise.all([running, patient])).toEqual(['first', 'third']);
    await expect(limiter.run(place, () => Promise.resolve('late'), cancelling.signal)).rejects.toThrow('enough');
  });

  it('gives the next slot to the party with the fewest running tasks, however many another has waiting', async () => {
    const { started, add, end } = lineUp(4);
    for (let number = 1; number <= 1_500; number += 1) {
      add('greedy', `greedy ${number}`);
    }
    add('greedy too', 'greedy too 1');
    add('greedy too', 'greedy too 2');
    await setImmediate();
    // The last quarter of the slots is for others.
    expect(started).toEqual(['greedy 1', 'greedy 2', 'greedy 3', 'greedy too 1']);

    add('victim', 'victim 1');
    add('victim', 'victim 2');
    await end('greedy 2');
    expect(started.at(-1)).toBe('victim 1');
    await end('greedy 1');
    expect(started.at(-1)).toBe('greedy 4');
    await end('greedy 3');
    expect(started.at(-1)).toBe('greedy too 2');
    await end('victim 1');
    expect(started.at(-1)).toBe('victim 2');
  });

  it('limits the service accounts of a namespace together, however many it has', async () => {
    const { started, add, end } = lineUp(8);
    for (let number = 1; number <= 24; number += 1) {
      add(`greedy/account ${number}`, `greedy ${number}`);
    }
    await setImmediate();
    expect(started).toEqual([1, 2, 3, 4, 5, 6].map((number) => `greedy ${number}`));

    for (const number of [1, 2, 3, 4]) {
      add('victims/web', `victim ${number}`);
    }
    await setImmediate();
    expect(started.slice(6)).toEqual(['victim 1', 'victim 2']);
    await end('greedy 3');
    await end('greedy 4');
    expect(started.slice(8)).toEqual(['victim 3', 'victim 4']);
    await end('greedy 1');
    expect(started.slice(10)).toEqual(['greedy 7']);
  });

  it('shares the slots of a namespace between its service accounts, and leaves each a slot', async () => {
    const { started, add, end } = lineUp(8);
    for (let number = 1; number <= 8; number += 1) {
      add('shop/batch', `batch ${number}`);
    }
    add('shop/web', 'web 1');
    add('shop/web', 'web 2');
    await setImmediate();
    // A service account gets five of the six slots of a namespace.
    expect(started).toEqual(['batch 1', 'batch 2', 'batch 3', 'batch 4', 'batch 5', 'web 1']);

    await end('batch 1');
    expect(started.slice(6)).toEqual(['web 2']);
    await end('batch 2');
    expect(started.slice(7)).toEqual(['batch 6']);
  });

  it('alternates between parties with equally many running tasks', async () => {
    const { started, add, end } = lineUp(1);
    let number = 0;
    for (const party of ['a', 'a', 'a', 'b', 'b', 'c']) {
      add(party, `${party} ${(number += 1)}`);
    }
    for (let count = 0; count < 6; count += 1) {
      await setImmediate();
      await end(started.at(-1)!);
    }
    expect(started.map((name) => name.slice(0, 1))).toEqual(['a', 'a', 'b', 'c', 'a', 'b']);
  });

  it('keeps no slot for a task whose signal aborts when it starts', async () => {
    const limiter = createLimiter(1);
    const cancelling = new AbortController();
    const first = Promise.withResolvers<void>();
    const running = limiter.run(place, () => first.promise, signal);
    const waiting = limiter.run(place, () => Promise.resolve('ran'), cancelling.signal);
    first.resolve();
    await running;
    cancelling.abort(new Error('enough'));

    expect(await waiting.catch(() => 'gave up')).toMatch(/ran|gave up/);
    expect(await limiter.run(place, () => Promise.resolve('next'), signal)).toBe('next');
  });
});

function lineUp(limit: number) {
  const limiter = createLimiter(limit);
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    started,
    add(party: string, name: string): void {
      void limiter.run(
        { lane: 'k', party: party.split('/') },
        () => {
          started.push(name);
          const { promise, resolve } = Promise.withResolvers<void>();
          ends.set(name, resolve);
          return promise;
        },
        signal,
      );
    },
    async end(name: string): Promise<void> {
      ends.get(name)?.();
      await setImmediate();
    },
  };
}
