import { expect, it } from 'vitest';
import { createVirtualClock } from '../../test/fakes/virtual-clock.ts';
import { SecretBytes } from '../model/secret-bytes.ts';
import { createPaceBySize } from './pace-by-size.ts';

const NEVER = new AbortController().signal;
const MIB = 2 ** 20;

function contentOf(bytes: number) {
  const data = new Map([['key', new SecretBytes(new Uint8Array(bytes))]]);
  return { type: 'Opaque', isImmutable: false, labels: new Map(), annotations: new Map(), data };
}

/** Starts writes that take no time, and records when each started. */
function startWrites(writes: readonly (readonly [name: string, bytes: number])[]) {
  const clock = createVirtualClock();
  const pace = createPaceBySize(clock);
  const log: string[] = [];
  const written = writes.map(([name, bytes]) =>
    pace(
      name,
      contentOf(bytes),
      async () => {
        log.push(`${name} at ${clock.now()}`);
      },
      NEVER,
    ),
  );
  return { clock, log, written };
}

it('writes large Secrets one at a time, with a pause that grows with their size', async () => {
  const { clock, log, written } = startWrites([
    ['a', MIB],
    ['b', MIB / 2],
    ['c', MIB],
  ]);
  await clock.advance(1_000);
  await Promise.all(written);

  expect(log).toEqual(['a at 0', 'b at 30', 'c at 45']);
});

it('does not delay a small Secret', async () => {
  const { clock, log } = startWrites([
    ['large', MIB],
    ['large', MIB],
    ['small', 1_000],
  ]);
  await clock.advance(0);

  expect(log.toSorted()).toEqual(['large at 0', 'small at 0']);
});

it('schedules namespaces fairly', async () => {
  const { clock, log } = startWrites([
    ['greedy', MIB],
    ['greedy', MIB],
    ['greedy', MIB],
    ['other', MIB],
  ]);
  await clock.advance(1_000);

  expect(log).toEqual(['greedy at 0', 'greedy at 30', 'other at 60', 'greedy at 90']);
});

it('continues after a failed write', async () => {
  const pace = createPaceBySize(createVirtualClock());
  const failing = pace('a', contentOf(1_000), () => Promise.reject(new Error('refused')), NEVER);

  await expect(failing).rejects.toThrow('refused');
});
