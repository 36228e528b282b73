import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SYSTEM_CLOCK } from './clock.ts';
import { ProviderError } from '../model/errors.ts';
import { createSharedLookup } from './shared-lookup.ts';

type Load = (key: string) => Promise<string>;

const NEVER = new AbortController().signal;

/** Answers are good for a second, unless told. */
function lookupWith(load: Load, maxEntries = 10, ttlOf?: (answer: string) => number) {
  const lookup = createSharedLookup<string>(SYSTEM_CLOCK, { ttlMs: 1_000, maxEntries }, ttlOf);
  return (key: string, signal: AbortSignal) => lookup(key, () => load(key), signal);
}

describe('createSharedLookup', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('makes one call for concurrent callers', async () => {
    const load = vi.fn<Load>(async (key) => `${key} loaded`);
    const lookup = lookupWith(load);

    const answers = await Promise.all([lookup('a', NEVER), lookup('a', NEVER), lookup('b', NEVER)]);

    expect(answers).toEqual(['a loaded', 'a loaded', 'b loaded']);
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('caches a result for its lifetime, counted from its arrival', async () => {
    const load = vi.fn<Load>(async () => 'answer');
    const lookup = lookupWith(load);
    await lookup('a', NEVER);
    await Promise.resolve();

    vi.advanceTimersByTime(1_000);
    await lookup('a', NEVER);
    const callsWhileFresh = load.mock.calls.length;
    vi.advanceTimersByTime(1);
    await lookup('a', NEVER);

    expect([callsWhileFresh, load.mock.calls.length]).toEqual([1, 2]);
  });

  it('caches a result for the lifetime that it sets itself', async () => {
    const load = vi.fn<Load>(async (key) => key);
    const lookup = lookupWith(load, 10, Number);
    await lookup('1000', NEVER);
    await lookup('2000', NEVER);
    await Promise.resolve();

    vi.advanceTimersByTime(1_001);
    await lookup('1000', NEVER);
    await lookup('2000', NEVER);

    expect(load.mock.calls.flat()).toEqual(['1000', '2000', '1000']);
  });

  it('caches at most the allowed number of results, the newest ones, and all calls in flight', async () => {
    const slow = Promise.withResolvers<string>();
    const load = vi.fn<Load>((key) => (key === 'slow' ? slow.promise : Promise.resolve(key)));
    const lookup = lookupWith(load, 2);
    const waiting = lookup('slow', NEVER);
    for (const key of ['a', 'b', 'c']) {
      await lookup(key, NEVER);
      await Promise.resolve();
    }

    const again = [lookup('slow', NEVER), lookup('c', NEVER)];
    slow.resolve('at last');
    await Promise.all([waiting, ...again]);
    await lookup('a', NEVER);

    expect(load.mock.calls.flat()).toEqual(['slow', 'a', 'b', 'c', 'a']);
  });

  it('does not cache a failure', async () => {
    const load = vi.fn<Load>(async () => 'answer').mockRejectedValueOnce(new Error('down'));
    const lookup = lookupWith(load);

    const failed = Promise.all([lookup('a', NEVER), lookup('a', NEVER)]);

    await expect(failed).rejects.toThrow('down');
    await expect(lookup('a', NEVER)).resolves.toBe('answer');
    expect(load).toHaveBeenCalledTimes(2);
  });

  it('releases one caller without affecting the others', async () => {
    const slow = Promise.withResolvers<string>();
    const load = vi.fn<Load>(() => slow.promise);
    const lookup = lookupWith(load);
    const patient = lookup('a', NEVER);
    const impatient = new AbortController();
    const gone = lookup('a', impatient.signal);

    impatient.abort(new ProviderError('Cancelled', 'the driver ended the call'));

    await expect(gone).rejects.toMatchObject({ reason: 'Cancelled' });
    slow.resolve('answer');
    await expect(patient).resolves.toBe('answer');
    expect(load).toHaveBeenCalledTimes(1);
  });

  it('throws for a signal that has already aborted', async () => {
    const lookup = lookupWith(async () => 'answer');
    const ended = AbortSignal.abort(new ProviderError('Cancelled', 'too late'));

    await expect(lookup('a', ended)).rejects.toThrow('too late');
  });
});
