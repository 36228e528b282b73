import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { createFairQueue, type Taken } from './fair-queue.ts';

interface Item {
  readonly namespace: string;
  readonly account: string;
}

const LIMIT = 8;
const OF_NAMESPACE = 6;
const OF_ACCOUNT = 5;

const STEPS = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('add' as const),
      namespace: fc.constantFrom('a', 'a', 'a', 'b', 'c'),
      account: fc.constantFrom('1', '1', '1', '2', '3'),
    }),
    fc.record({ kind: fc.constantFrom('take', 'take', 'take', 'end', 'remove'), index: fc.nat() }),
  ),
  { minLength: 100, maxLength: 200 },
);

function count(items: readonly Item[], { namespace, account }: Partial<Item>): number {
  return items.filter(
    (item) => item.namespace === (namespace ?? item.namespace) && item.account === (account ?? item.account),
  ).length;
}

/** A queue, and a model that specifies it. */
function checkedQueue() {
  const queue = createFairQueue<Item>(LIMIT);
  const waiting = new Map<Item, () => boolean>();
  const taken: Taken<Item>[] = [];

  /** @returns the items that may run, with the numbers of running items of their namespaces and accounts */
  function candidates() {
    const running = taken.map(({ item }) => item);
    return [...waiting.keys()]
      .map((item) => ({
        item,
        ofNamespace: count(running, { namespace: item.namespace }),
        ofAccount: count(running, { namespace: item.namespace, account: item.account }),
      }))
      .filter(
        ({ ofNamespace, ofAccount }) => running.length < LIMIT && ofNamespace < OF_NAMESPACE && ofAccount < OF_ACCOUNT,
      );
  }

  return {
    add(namespace: string, account: string): void {
      const item = { namespace, account };
      waiting.set(item, queue.add([namespace, account], item));
    },
    /** @returns whether the taken item is one that was due, and the first of its account */
    take(): boolean {
      const before = candidates();
      const next = queue.take();
      if (next === undefined) {
        return before.length === 0;
      }
      waiting.delete(next.item);
      taken.push(next);
      const fewest = Math.min(...before.map(({ ofNamespace }) => ofNamespace));
      const { namespace, account } = next.item;
      const neighbours = before.filter(({ item }) => item.namespace === namespace);
      const fewestHere = Math.min(...neighbours.map(({ ofAccount }) => ofAccount));
      const first = neighbours.find(({ item }) => item.account === account);
      return first?.item === next.item && first.ofNamespace === fewest && first.ofAccount === fewestHere;
    },
    end(index: number): void {
      taken.splice(index % Math.max(1, taken.length), 1).forEach(({ done }) => done());
    },
    /** @returns whether an item was removed once, and only once */
    remove(index: number): boolean {
      const [item, remove] = [...waiting][index % Math.max(1, waiting.size)] ?? [];
      return item === undefined || remove === undefined || (waiting.delete(item) && remove() && !remove());
    },
    isRight(): boolean {
      const some = count([...waiting.keys()], { namespace: 'a', account: '1' });
      return queue.size === waiting.size && queue.has(['a', '1']) === some > 0 && !queue.has(['a', '9']);
    },
  };
}

it('schedules the party with the fewest running items, and keeps every limit', () => {
  fc.assert(
    fc.property(STEPS, (steps) => {
      const queue = checkedQueue();
      const wrong = steps.filter((step) => {
        const isRight = step.kind === 'add' ? queue.add(step.namespace, step.account) : queue[step.kind](step.index);
        return isRight === false || !queue.isRight();
      });

      expect(wrong).toEqual([]);
    }),
    { numRuns: 50 },
  );
});

it('forgets parties without items, which start again at the end of the queue', () => {
  const queue = createFairQueue<string>();
  queue.add(['served', '1'], 'before');
  queue.take()?.done();
  queue.add(['gave up', '1'], 'before')();
  queue.add(['new', '1'], 'first');
  queue.add(['served', '1'], 'second');
  queue.add(['gave up', '1'], 'third');

  expect([1, 2, 3].map(() => queue.take()?.item)).toEqual(['first', 'second', 'third']);
  expect(queue.take()).toBeUndefined();
});
