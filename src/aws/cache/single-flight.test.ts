import { expect, it } from 'vitest';
import { unlessAborted } from '../../concurrency/cancellation.ts';
import { createSingleFlight } from './single-flight.ts';

/** Answers when it is told to, and keeps what it was asked. */
function newStore() {
  const asked: string[][] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  return {
    asked,
    answer: () => gates.forEach(({ resolve }) => resolve()),
    break: (error: Error) => gates.forEach(({ reject }) => reject(error)),
    async ask(unasked: ReadonlyMap<string, string>) {
      const number = asked.push([...unasked.keys()]);
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      await gate.promise;
      return new Map(Array.from(unasked, ([key, question]) => [key, `${question} ${number}`] as const));
    },
  };
}

function questions(...keys: readonly string[]): ReadonlyMap<string, string> {
  return new Map(keys.map((key) => [key, `${key}?`]));
}

it('fetches the keys that are not in flight together, and waits for those that are', async () => {
  const flights = createSingleFlight<string>();
  const store = newStore();

  const first = flights.join(questions('a', 'b'), store.ask);
  const second = flights.join(questions('b', 'c', 'd'), store.ask);
  const third = flights.join(questions('d', 'a'), store.ask);
  store.answer();

  const [ofFirst, ofSecond, ofThird] = await Promise.all([first, second, third]);
  expect(store.asked).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
  expect(['a', 'b'].map((key) => ofFirst.get(key))).toEqual(['a? 1', 'b? 1']);
  expect(['b', 'c', 'd'].map((key) => ofSecond.get(key))).toEqual(['b? 1', 'c? 2', 'd? 2']);
  expect(['d', 'a'].map((key) => ofThird.get(key))).toEqual(['d? 2', 'a? 1']);
});

it('asks nobody for nothing', async () => {
  const store = newStore();

  expect(await createSingleFlight<string>().join(questions(), store.ask)).toEqual(new Map());
  expect(store.asked).toEqual([]);
});

it('asks anew once the answer is there', async () => {
  const flights = createSingleFlight<string>();
  const store = newStore();
  const first = flights.join(questions('a'), store.ask);
  store.answer();
  await first;

  const second = flights.join(questions('a'), store.ask);
  store.answer();

  expect((await second).get('a')).toBe('a? 2');
});

it('goes on for the others when one who waits is cancelled, even if it was the one who asked', async () => {
  const flights = createSingleFlight<string>();
  const store = newStore();
  const cancelling = new AbortController();
  const client = unlessAborted(flights.join(questions('a'), store.ask), cancelling.signal);
  const waiter = flights.join(questions('a'), store.ask);

  cancelling.abort(new Error('the driver ended the call'));
  await expect(client).rejects.toThrow('the driver ended the call');
  store.answer();

  expect((await waiter).get('a')).toBe('a? 1');
});

it('fails all who wait for a question that breaks, and frees its keys', async () => {
  const flights = createSingleFlight<string>();
  const store = newStore();
  const both = [flights.join(questions('a', 'b'), store.ask), flights.join(questions('b'), store.ask)];
  store.break(new Error('a bug'));

  expect(await Promise.allSettled(both)).toMatchObject([
    { reason: { message: 'a bug' } },
    { reason: { message: 'a bug' } },
  ]);
  const again = flights.join(questions('b', 'a'), store.ask);
  store.answer();
  expect((await again).get('b')).toBe('b? 2');
});
