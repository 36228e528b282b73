/** The owner of an item, outermost first: the namespace, then the service account in it. */
export type Party = readonly string[];

/** Waiting items, scheduled fairly by party. */
export interface FairQueue<Item> {
  readonly size: number;
  /** Whether an item of exactly this party waits. */
  has(party: Party): boolean;
  /** @returns a function that removes the item, and returns whether it was still waiting */
  add(party: Party, item: Item): () => boolean;
  /**
   * Removes the next item and counts it as running until `done` is called. The namespace with the fewest running items is next, and in it the service
   * account with the fewest; of those with equally many, the one that was served least recently.
   * @returns undefined if no item waits, or none may run yet
   */
  take(): Taken<Item> | undefined;
}

export interface Taken<Item> {
  readonly item: Item;
  done(): void;
}

/** The share of the slots that one party may take, so that one with slow tasks does not hold all of them. */
const SHARE = 3 / 4;

/** A party, or all of them. */
interface Group<Item> {
  readonly name: string;
  readonly parent: Group<Item> | undefined;
  /** In the order in which they are scheduled; includes those with running items only. */
  readonly members: Map<string, Group<Item>>;
  readonly waiting: Set<{ readonly item: Item }>;
  running: number;
}

/** @param limit of running items; one namespace gets at most three quarters of it, and one service account at most three quarters of those */
export function createFairQueue<Item>(limit = Infinity): FairQueue<Item> {
  const all = newGroup<Item>('', undefined);
  let size = 0;

  return {
    get size() {
      return size;
    },
    has: (party) => (party.reduce<Group<Item> | undefined>(memberIn, all)?.waiting.size ?? 0) > 0,
    add(party, item) {
      const group = party.reduce(memberOf, all);
      const entry = { item };
      group.waiting.add(entry);
      size += 1;
      return () => {
        if (!group.waiting.delete(entry)) {
          return false;
        }
        size -= 1;
        removeIfEmpty(group);
        return true;
      };
    },
    take() {
      const group = nextIn(all, limit);
      const [entry] = group?.waiting ?? [];
      if (group === undefined || entry === undefined) {
        return undefined;
      }
      group.waiting.delete(entry);
      size -= 1;
      for (const at of withParents(group)) {
        at.running += 1;
        moveToEnd(at);
      }
      return {
        item: entry.item,
        done() {
          for (const at of withParents(group)) {
            at.running -= 1;
          }
          removeIfEmpty(group);
        },
      };
    },
  };
}

function newGroup<Item>(name: string, parent: Group<Item> | undefined): Group<Item> {
  return { name, parent, members: new Map(), waiting: new Set(), running: 0 };
}

function memberIn<Item>(parent: Group<Item> | undefined, name: string): Group<Item> | undefined {
  return parent?.members.get(name);
}

/** Creates the member if it is missing. */
function memberOf<Item>(parent: Group<Item>, name: string): Group<Item> {
  const member = parent.members.get(name) ?? newGroup(name, parent);
  parent.members.set(name, member);
  return member;
}

/** @returns the party whose item is next; undefined if none may run */
function nextIn<Item>(group: Group<Item>, limit: number): Group<Item> | undefined {
  if (group.running >= limit) {
    return undefined;
  }
  if (group.waiting.size > 0) {
    return group;
  }
  let next: Group<Item> | undefined;
  let fewest = Infinity;
  for (const member of group.members.values()) {
    const found = member.running < fewest ? nextIn(member, Math.ceil(limit * SHARE)) : undefined;
    if (found !== undefined) {
      next = found;
      fewest = member.running;
    }
    if (fewest === 0) {
      break;
    }
  }
  return next;
}

function* withParents<Item>(group: Group<Item>): Generator<Group<Item>, void, void> {
  for (let at: Group<Item> | undefined = group; at !== undefined; at = at.parent) {
    yield at;
  }
}

function moveToEnd<Item>(group: Group<Item>): void {
  group.parent?.members.delete(group.name);
  group.parent?.members.set(group.name, group);
}

function removeIfEmpty<Item>(group: Group<Item>): void {
  for (const { name, parent, members, waiting, running } of withParents(group)) {
    if (running > 0 || waiting.size > 0 || members.size > 0) {
      return;
    }
    parent?.members.delete(name);
  }
}
