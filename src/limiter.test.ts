import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createLimiter } from './limiter.ts';

const { signal } = new AbortController();

describe('a limiter', () => {
  it('runs as many as it may for each key, and the rest in the order they came', async () => {
    const limiter = createLimiter(2);
    const started: string[] = [];
    const tasks = [1, 2, 3, 4, 5].map((number) => ({
      key: number === 5 ? 'other' : 'k',
      name: `task ${number}`,
      done: Promise.withResolvers<void>(),
    }));
    const running = tasks.map(({ key, name, done }) =>
      limiter.run(
        key,
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

  it('frees the place of a task that fails', async () => {
    const limiter = createLimiter(1);

    await expect(limiter.run('k', () => Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
    expect(await limiter.run('k', () => Promise.resolve('next'), signal)).toBe('next');
  });

  it('lets those who wait go when their signal aborts, and the next in line in', async () => {
    const limiter = createLimiter(1);
    const first = Promise.withResolvers<string>();
    const cancelling = new AbortController();
    const running = limiter.run('k', () => first.promise, signal);
    const waiting = limiter.run('k', () => Promise.resolve('never'), cancelling.signal);
    const patient = limiter.run('k', () => Promise.resolve('third'), signal);

    cancelling.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    first.resolve('first');

    expect(await Promise.all([running, patient])).toEqual(['first', 'third']);
    await expect(limiter.run('k', () => Promise.resolve('late'), cancelling.signal)).rejects.toThrow('enough');
  });
});
