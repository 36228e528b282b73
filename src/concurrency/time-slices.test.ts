import { describe, expect, it } from 'vitest';
import { createTurns, finish, type Steps } from './time-slices.ts';

const NEVER = new AbortController().signal;

/** A clock that a step moves by as much as a slice may last, so that each step is a slice. */
function slowTurns() {
  let clock = 0;
  const later: (() => void)[] = [];
  const log: string[] = [];
  function* work(name: string, steps: number): Steps<string> {
    for (let step = 1; step <= steps; step += 1) {
      clock += 100;
      log.push(`${name}${step}`);
      yield;
    }
    return name;
  }
  return {
    turns: createTurns(
      () => clock,
      (callback) => later.push(callback),
    ),
    work,
    log,
    /** One turn of the event loop. @returns how many callbacks it ran */
    turn(): number {
      const callbacks = later.splice(0);
      for (const callback of callbacks) {
        callback();
      }
      return callbacks.length;
    },
  };
}

function* failing(): Steps<void> {
  yield;
  throw new Error('a step failed');
}

describe('turns', () => {
  it('run one slice in each turn of the event loop, whatever waits', async () => {
    const { turns, work, log, turn } = slowTurns();
    const done = Promise.all(['a', 'b', 'c'].map((name) => turns.run(name, work(name, 3), NEVER)));

    const before = log.length;
    const counts: number[] = [];
    while (turn() > 0) {
      counts.push(log.length);
    }

    expect(before).toBe(1);
    expect(counts.every((count, index) => count - (counts[index - 1] ?? before) <= 1)).toBe(true);
    expect(await done).toEqual(['a', 'b', 'c']);
  });

  it('serve a key that has little work between the works of one that has much', async () => {
    const { turns, work, log, turn } = slowTurns();
    const attacks = ['x', 'y', 'z'].map((name) => turns.run('attacker', work(name, 50), NEVER));
    const victim = turns.run('victim', work('v', 2), NEVER);

    for (let count = 0; count < 6; count += 1) {
      turn();
    }

    expect(await victim).toBe('v');
    expect(log.length).toBeLessThan(10);
    while (turn() > 0) {
      // Until all is done.
    }
    expect(await Promise.all(attacks)).toEqual(['x', 'y', 'z']);
  });

  it('do at once what is little', async () => {
    let over = false;
    function* little(): Steps<void> {
      yield;
      over = true;
    }

    const done = createTurns().run('a', little(), NEVER);

    expect(over).toBe(true);
    await done;
  });

  it('end with the signal, and with what a step throws', async () => {
    const { turns, work, turn } = slowTurns();
    const caller = new AbortController();
    const cancelled = turns.run('a', work('a', 1000), caller.signal);
    const failed = turns.run('b', failing(), NEVER);
    caller.abort(new Error('the call is over'));

    while (turn() > 0) {
      // Until nothing waits.
    }

    await expect(cancelled).rejects.toThrow('the call is over');
    await expect(failed).rejects.toThrow('a step failed');
  });
});

describe('finish', () => {
  it('gives what the last step returns', () => {
    const { work, log } = slowTurns();

    expect(finish(work('a', 3))).toBe('a');
    expect(log).toEqual(['a1', 'a2', 'a3']);
  });
});
