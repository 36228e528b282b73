import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { clockAt } from '../../test/fakes/virtual-clock.ts';
import { createMemorySecrets } from '../../test/fakes/kube/memory-secrets.ts';
import { mountOf } from '../../test/fakes/kube/mounts.ts';
import { SECRET, show, SIGNAL, VERIFY_MS, NO_OTHER_PODS } from '../../test/fakes/kube/sync-cluster.ts';
import { SecretBytes } from '../model/secret-bytes.ts';
import { createSecretSync } from './secret-sync.ts';

const NODES = 3;
/** Of the pods of each node. */
const OWNERS = ['web', 'web', 'job'] as const;

type Event =
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'rotate' | 'destroy' | 'sync' }
  /** The node polls AWS. */
  | { readonly kind: 'poll' | 'restart' | 'driver'; readonly node: number };

const node = fc.nat(NODES - 1);
const calm = fc.oneof(
  fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(VERIFY_MS) }),
  fc.record({ kind: fc.constantFrom('rotate' as const, 'sync' as const) }),
  fc.record({ kind: fc.constantFrom('poll' as const, 'restart' as const), node }),
);
const wild = fc.oneof(
  { weight: 4, arbitrary: calm },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('driver' as const), node }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('destroy' as const) }) },
);

/** Nodes whose calls to the API server complete in any order, and AWS whose value changes. */
function world(scheduler: fc.Scheduler, skews: readonly number[]) {
  const secrets = createMemorySecrets();
  let time = 1_000_000;
  let version = 1;

  function clock(index: number): number {
    return time + (skews[index] ?? 0);
  }

  const api: typeof secrets = {
    ...secrets,
    read: (...given) => scheduler.schedule(Promise.resolve('read')).then(() => secrets.read(...given)),
    apply: (...given) => scheduler.schedule(Promise.resolve('apply')).then(() => secrets.apply(...given)),
    remove: (...given) => scheduler.schedule(Promise.resolve('remove')).then(() => secrets.remove(...given)),
  };

  function start(index: number) {
    return createSecretSync({
      secrets: api,
      ...NO_OTHER_PODS,
      verifyMs: VERIFY_MS,
      clock: clockAt(() => clock(index)),
    });
  }

  const nodes = OWNERS.map((owner, index) => ({
    owner,
    process: start(index),
    words: { pod: `pod-${index}`, owner, files: { db: 'v1' }, confirmedAt: clock(index) },
  }));

  return {
    secrets,
    latest: () => `v${version}`,
    pass(ms: number) {
      time += ms;
    },
    poll(index: number) {
      Object.assign(nodes[index]!.words, { files: { db: `v${version}` }, confirmedAt: clock(index) });
    },
    async sync() {
      await scheduler.waitFor(Promise.all(nodes.map(({ process, words }) => process.update(mountOf(words), SIGNAL))));
    },
    async happen(event: Event) {
      switch (event.kind) {
        case 'pass':
          time += event.ms;
          break;
        case 'rotate':
          version += 1;
          break;
        case 'poll':
          this.poll(event.node);
          break;
        case 'restart':
          nodes[event.node]!.process = start(event.node);
          break;
        case 'destroy':
          secrets.destroy(SECRET);
          break;
        case 'driver':
          secrets.replace(SECRET, 'driver', {
            type: 'Opaque',
            data: new Map([['password', SecretBytes.fromText(nodes[event.node]!.words.files.db)]]),
            labels: new Map([['secrets-store.csi.k8s.io/managed', 'true']]),
          });
          break;
        case 'sync':
          await this.sync();
      }
    },
  };
}

it('nodes converge on the latest value and all owners, whatever happens, and then write no more', async () => {
  const skew = fc.integer({ min: -5_000, max: 5_000 });
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(wild, { maxLength: 15 }),
      fc.tuple(skew, skew, skew),
      async (scheduler, events, skews) => {
        const here = world(scheduler, skews);
        const { secrets } = here;
        for (const event of events) {
          await here.happen(event);
        }

        here.pass(2 * VERIFY_MS);
        OWNERS.forEach((_owner, index) => {
          here.poll(index);
        });
        await here.sync();
        here.pass(VERIFY_MS + 1);
        await here.sync();

        const stored = await secrets.read(SECRET, SIGNAL);
        expect(show(stored)).toMatchObject({ data: { password: here.latest() }, owners: ['job', 'web'] });
        expect(stored?.appliers).toContain('aws-secrets-csi/job-uid');
        secrets.calls.length = 0;
        here.pass(VERIFY_MS + 1);
        await here.sync();
        expect(secrets.calls).toEqual(['read db', 'read db', 'read db']);
      },
    ),
    { numRuns: 150 },
  );
});

it('no node replaces a value by an older one', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.array(calm, { maxLength: 15 }), async (scheduler, events) => {
      const here = world(scheduler, [0, 0, 0]);
      await here.happen({ kind: 'sync' });
      const seen: number[] = [];
      const { apply } = here.secrets;
      here.secrets.apply = async (...given) => {
        const outcome = await apply(...given);
        seen.push(show(await here.secrets.read(SECRET, SIGNAL))?.confirmedAt ?? Number.NaN);
        return outcome;
      };

      for (const event of events) {
        await here.happen(event);
      }

      expect(seen).toEqual(seen.toSorted((left, right) => left - right));
    }),
    { numRuns: 150 },
  );
});
