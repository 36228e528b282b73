import { describe, expect, it } from 'vitest';
import { SYSTEM_CLOCK } from './clock.ts';
import { createTimeSlices, finish, type Steps, toTheEnd } from './time-slices.ts';

/** The longest time of a slice. */
const SLICE_MS = 2;
/** Slices that may run without a rest after a quiet time. */
const BURST = 100;

/** Time slices on a clock that advances only by steps and rests. */
function virtualTurns() {
  let clock = 0;
  const timers: { readonly at: number; readonly callback: () => void }[] = [];
  /** Each step, and when it started. */
  const log: (readonly [string, number])[] = [];

  function* work(name: string, steps: number, ms = SLICE_MS): Steps<string> {
    for (let step = 1; step <= steps; step += 1) {
      log.push([`${name}${step}`, clock]);
      clock += ms;
      yield;
    }
    return name;
  }

  /** Rests until the next slice, and runs it. @returns whether there was one */
  async function turn(): Promise<boolean> {
    const timer = timers.shift();
    clock = Math.max(clock, timer?.at ?? 0);
    timer?.callback();
    await Promise.resolve();
    return timer !== undefined;
  }

  async function takeAll(): Promise<void> {
    while (await turn()) {
      expect(timers.length).toBeLessThanOrEqual(1);
    }
  }

  const turns = createTimeSlices({
    ...SYSTEM_CLOCK,
    now: () => clock,
    sleep: (ms) => new Promise((callback) => timers.push({ at: clock + ms, callback })),
  });

  return {
    turns,
    work,
    log,
    turn,
    names: () => log.map(([name]) => name),
    now: () => clock,
    timers: () => timers.length,
    takeAll,
    pass(ms: number): void {
      clock += ms;
    },
    /** Uses up the burst. @returns the time then */
    async afterBurst(): Promise<number> {
      void turns.run(['burst'], work('burst', BURST));
      await takeAll();
      log.length = 0;
      return clock;
    },
  };
}

/** Holds a resource while it works; cleans up in two steps, and logs it. */
function* holding(steps: Steps<unknown>, log: string[]): Steps<void> {
  using _held = { [Symbol.dispose]: () => void log.push('disposed') };
  try {
    yield* steps;
  } catch (error) {
    log.push(`told: ${String(error)}`);
    yield;
    log.push('cleared up');
    throw error;
  }
}

describe('time slices', () => {
  it('run short work at once, whatever waits', async () => {
    const { turns, work, names, takeAll } = virtualTurns();
    const long = turns.run(['a'], work('long', 3));
    const little = turns.run(['b'], work('little', 3, 0.1));

    expect(names()).toEqual(['long1', 'little1', 'little2', 'little3']);
    expect(await little).toBe('little');
    await takeAll();
    expect(await long).toBe('long');
  });

  it('start at once for a party with nothing waiting, and defer further work of a party', async () => {
    const { turns, work, names, timers, takeAll } = virtualTurns();
    const all = ['a', 'a', 'b', 'a', 'c'].map((key, index) => turns.run([key], work(`${key}${index}-`, 2)));

    expect(names()).toEqual(['a0-1', 'b2-1', 'c4-1']);
    expect(timers()).toBe(1);
    await takeAll();
    expect(names().slice(3)).toEqual(['a0-2', 'b2-2', 'c4-2', 'a1-1', 'a3-1', 'a1-2', 'a3-2']);
    expect(await Promise.all(all)).toEqual(['a0-', 'a1-', 'b2-', 'a3-', 'c4-']);
  });

  it('serve a party with little work between the slices of one with much', async () => {
    const { turns, work, names, turn, takeAll } = virtualTurns();
    const attacks = ['x', 'y', 'z'].map((name) => turns.run(['attacker'], work(name, 50)));
    const victim = turns.run(['victim'], work('v', 3));

    for (let count = 0; count < 6; count += 1) {
      await turn();
    }

    expect(await victim).toBe('v');
    expect(names()).toEqual(['x1', 'v1', 'x2', 'v2', 'y1', 'v3', 'z1']);
    await takeAll();
    expect(await Promise.all(attacks)).toEqual(['x', 'y', 'z']);
  });

  it('run round robin by namespace, and in each by service account', async () => {
    const { turns, work, names, turn, takeAll } = virtualTurns();
    const attacks = ['x', 'y', 'z'].map((name) => turns.run(['attackers', name], work(name, 5)));
    const victim = turns.run(['victims', 'web'], work('v', 4));
    for (let count = 0; count < 8; count += 1) {
      await turn();
    }

    expect(await victim).toBe('v');
    expect(names().slice(0, 4)).toEqual(['x1', 'y1', 'z1', 'v1']);
    expect(names().slice(4)).toEqual(['x2', 'v2', 'y2', 'v3', 'z2', 'v4', 'x3']);
    await takeAll();
    expect(await Promise.all(attacks)).toEqual(['x', 'y', 'z']);
  });

  it.for([
    ['a slice', SLICE_MS, [0, 12, 24, 36]],
    ['a step that took longer', 50, [0, 300, 600, 900]],
    ['a step without end, for a second at most', 5_000, [0, 6_000, 12_000, 18_000]],
  ] as const)('rest five times as long as the slice took, after %s', async ([, ms, starts]) => {
    const { turns, work, log, takeAll, afterBurst } = virtualTurns();
    const begun = await afterBurst();
    void turns.run(['a'], work('a', 4, ms));

    await takeAll();

    expect(log.map(([, at]) => at - begun)).toEqual(starts);
  });

  it('take a sixth of the time for all work together, including first slices', async () => {
    const { turns, work, takeAll, now, afterBurst } = virtualTurns();
    const begun = await afterBurst();
    const steps = 40;
    const keys = ['a', 'b', 'c', 'd', 'e'];
    const all = keys.map((key) => turns.run([key], work(key, steps)));

    await takeAll();
    await Promise.all(all);

    const worked = keys.length * steps * SLICE_MS;
    expect(now() - begun).toBeGreaterThanOrEqual(6 * worked - 6 * SLICE_MS);
    expect(now() - begun).toBeLessThanOrEqual(6 * worked);
  });

  it('take all the time for a burst after a quiet time, as when all pods of a node start', async () => {
    const { turns, work, takeAll, now, afterBurst, pass } = virtualTurns();
    expect(await afterBurst()).toBe(BURST * SLICE_MS);
    void turns.run(['a'], work('a', 1));
    await takeAll();
    const busy = now();
    void turns.run(['b'], work('b', 2));
    await takeAll();
    expect(now() - busy).toBeGreaterThan(2 * SLICE_MS);

    pass(10_000);
    const soon = now();
    expect((await afterBurst()) - soon).toBeGreaterThan(3 * BURST * SLICE_MS);
    pass(60_000);
    const later = now();
    expect((await afterBurst()) - later).toBe(BURST * SLICE_MS);
  });

  it('defer work that arrives within the rest after other work', async () => {
    const { turns, work, takeAll, log, timers } = virtualTurns();
    const first = turns.run(['a'], work('a', 2));
    await takeAll();
    await first;
    const second = turns.run(['a'], work('b', 2));
    expect(timers()).toBe(1);
    await takeAll();

    expect(await second).toBe('b');
    expect(log.map(([name]) => name)).toEqual(['a1', 'a2', 'b1', 'b2']);
  });

  it.for([1, 3])('reject with what step %s throws, and continue with other work', async (at) => {
    const { turns, work, takeAll } = virtualTurns();
    function* failing(): Steps<never> {
      yield* work('a', at - 1);
      throw new Error('a step failed');
    }
    const failed = turns.run(['a'], failing());
    const other = turns.run(['a'], work('b', 3));
    await takeAll();

    await expect(failed).rejects.toThrow('a step failed');
    expect(await other).toBe('b');
  });

  it('use the clock and timers of the process', async () => {
    let steps = 0;
    function* slow(): Steps<string> {
      for (const began = performance.now(); performance.now() - began < 20;) {
        steps += 1;
        yield;
      }
      return 'done';
    }

    expect(await createTimeSlices(SYSTEM_CLOCK).run(['a'], slow())).toBe('done');
    expect(steps).toBeGreaterThan(1);
  });
});

describe('a caller that cancels', () => {
  const reason = new Error('the call is over');

  it('throws its reason into the steps once, which clean up and dispose of what they hold', async () => {
    const { turns, work, takeAll } = virtualTurns();
    const log: string[] = [];
    const caller = new AbortController();
    const given = turns.run(['a'], holding(work('a', 5), log), caller.signal);
    const other = turns.run(['b'], work('b', 3), new AbortController().signal);
    caller.abort(reason);
    await takeAll();

    await expect(given).rejects.toBe(reason);
    expect(log).toEqual([`told: ${String(reason)}`, 'cleared up', 'disposed']);
    expect(await other).toBe('b');
  });

  it('is handled in the next slice of its own work, not in that of another', async () => {
    const { turns, work, names, turn, takeAll } = virtualTurns();
    const caller = new AbortController();
    const given = turns.run(['a'], work('a', 5), caller.signal);
    await turn();
    caller.abort(reason);
    await takeAll();

    await expect(given).rejects.toBe(reason);
    expect(names()).toEqual(['a1', 'a2']);
  });

  it('before the start starts nothing', async () => {
    const { turns, work, names, timers } = virtualTurns();

    await expect(turns.run(['a'], work('a', 5), AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(names()).toEqual([]);
    expect(timers()).toBe(0);
  });

  it('gets the result of steps that catch the reason', async () => {
    const { turns } = virtualTurns();
    const caller = new AbortController();
    function* steps(): Steps<string> {
      try {
        caller.abort(reason);
        yield;
      } catch {
        yield;
      }
      return 'done';
    }

    expect(await turns.run(['a'], steps(), caller.signal)).toBe('done');
  });

  it('does not interrupt uninterruptible steps', async () => {
    const { turns, work, takeAll } = virtualTurns();
    const caller = new AbortController();
    const done = turns.run(['a'], toTheEnd(work('a', 5)), caller.signal);
    caller.abort(reason);
    await takeAll();

    expect(await done).toBe('a');
  });
});

describe('steps to the end', () => {
  it('are as many as without it, and give the same result', () => {
    const { work, names } = virtualTurns();

    expect([...toTheEnd(work('a', 3))]).toHaveLength(3);
    expect(finish(toTheEnd(work('b', 1)))).toBe('b');
    expect(names()).toEqual(['a1', 'a2', 'a3', 'b1']);
  });

  it('throw what a step throws', () => {
    const { work } = virtualTurns();
    function* failing(): Steps<never> {
      yield* work('a', 2);
      throw new Error('a step failed');
    }

    expect(() => finish(toTheEnd(failing()))).toThrow('a step failed');
  });
});

describe('finish', () => {
  it('returns what the last step returns', () => {
    const { work, names } = virtualTurns();

    expect(finish(work('a', 3))).toBe('a');
    expect(names()).toEqual(['a1', 'a2', 'a3']);
  });
});
