import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../test/fakes/virtual-clock.ts';
import { createWorkQueue } from './work-queue.ts';

/** A queue whose keys are processed for as long as the test decides. */
function newQueue() {
  const clock = createVirtualClock();
  const begun: string[] = [];
  const queue = createWorkQueue<string>(clock, (isDue) => {
    for (const key of queue.idle().filter(isDue)) {
      begun.push(`${key} at ${clock.now()}`);
      queue.begin(key);
    }
  });
  return { clock, queue, begun };
}

describe('a work queue', () => {
  it('processes each key when it is due', async () => {
    const { clock, queue, begun } = newQueue();
    queue.add('late', 2_000);
    queue.add('early', 1_000);
    await clock.advance(5_000);

    expect(begun).toEqual(['early at 1000', 'late at 2000']);
  });

  it('keeps the earlier of two times', async () => {
    const { clock, queue, begun } = newQueue();
    queue.add('a', 3_000);
    queue.add('a', 1_000);
    queue.add('a', 2_000);
    await clock.advance(5_000);

    expect(begun).toEqual(['a at 1000']);
  });

  it('never processes a key twice at the same time, and loses none that was added meanwhile', async () => {
    const { clock, queue, begun } = newQueue();
    queue.add('a', 0);
    await clock.advance(1_000);
    queue.add('a', 1_000);
    await clock.advance(1_000);
    expect([begun, queue.isBusy('a')]).toEqual([['a at 0'], true]);

    queue.end('a', 60_000, 0);
    await clock.advance(500);
    expect(begun).toEqual(['a at 0', 'a at 2000']);
  });

  it('ignores additions that the processing has covered', async () => {
    const { clock, queue, begun } = newQueue();
    queue.add('a', 0);
    await clock.advance(1_000);
    queue.add('a', 1_000);
    await clock.advance(1_000);

    queue.end('a', 60_000, 1_500);
    await clock.advance(57_999);
    expect(begun).toEqual(['a at 0']);
    await clock.advance(1);
    expect(begun).toEqual(['a at 0', 'a at 60000']);
  });

  it('resolves whenIdle once the key is not being processed, even if it was removed', async () => {
    const { clock, queue } = newQueue();
    const told: string[] = [];
    queue.begin('a');
    queue.begin('b');
    for (const key of ['a', 'b', 'idle']) {
      void queue.whenIdle(key).then(() => told.push(key));
    }
    await clock.advance(1);
    expect(told).toEqual(['idle']);

    queue.end('a', 60_000, 0);
    queue.remove('b');
    await clock.advance(1);
    expect(told).toEqual(['idle', 'a', 'b']);
    expect([queue.has('a'), queue.has('b')]).toEqual([true, false]);
  });

  it('uses one timer, and none once it is stopped', async () => {
    const { clock, queue, begun } = newQueue();
    for (let index = 0; index < 100; index += 1) {
      queue.add(`key ${index}`, 100_000 - index);
    }
    await clock.advance(0);
    expect(clock.waiting).toBe(1);

    queue.stop();
    await clock.advance(200_000);
    expect([clock.waiting, begun]).toEqual([0, []]);
  });

  it('processes a key in time that is due in more than a month', async () => {
    const { clock, queue, begun } = newQueue();
    const at = 40 * 86_400_000;
    queue.add('a', at);
    await clock.advance(at);

    expect(begun).toEqual([`a at ${at}`]);
  });
});
