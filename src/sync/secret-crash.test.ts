import { describe, expect, it } from 'vitest';
import { clockAt } from '../../test/fakes/virtual-clock.ts';
import type { MemorySecrets } from '../../test/fakes/kube/memory-secrets.ts';
import { DB, type MountWords, mountOf } from '../../test/fakes/kube/mounts.ts';
import { createCluster, SECRET, SIGNAL, VERIFY_MS, NO_OTHER_PODS } from '../../test/fakes/kube/sync-cluster.ts';
import type { SecretApi } from './secret-api.ts';
import { createSecretSync, type SecretSync } from './secret-sync.ts';

class Killed extends Error {}

/** Is killed at its n-th call, before or after that takes effect; afterwards nothing works any more. */
function mortal(secrets: SecretApi, dies: { readonly at: number; readonly how: 'before' | 'after' }): SecretApi {
  let calls = 0;
  async function live<T>(call: () => Promise<T>): Promise<T> {
    calls += 1;
    if (calls > dies.at || (calls === dies.at && dies.how === 'before')) {
      throw new Killed();
    }
    const result = await call();
    if (calls === dies.at) {
      throw new Killed();
    }
    return result;
  }
  return {
    read: (...given) => live(() => secrets.read(...given)),
    create: (...given) => live(() => secrets.create(...given)),
    claim: (...given) => live(() => secrets.claim(...given)),
    apply: (...given) => live(() => secrets.apply(...given)),
    remove: (...given) => live(() => secrets.remove(...given)),
  };
}

function start(secrets: SecretApi): SecretSync {
  return createSecretSync({ secrets, ...NO_OTHER_PODS, verifyMs: VERIFY_MS, clock: clockAt(() => 10_000) });
}

interface KillCase {
  readonly name: string;
  /** The state before, made by other processes. */
  readonly before: readonly MountWords[];
  /** What others have changed since. */
  readonly since?: (secrets: MemorySecrets) => Promise<void>;
  readonly act: (sync: SecretSync) => Promise<void>;
  readonly owners: readonly string[] | undefined;
  readonly value?: string;
}

const IMMUTABLE = { annotations: { 'aws-secrets-csi/sync-immutable': 'true' } };
const V2 = { files: { db: 'v2' }, confirmedAt: 2_000 };
const OTHER: MountWords = { pod: 'other', owner: 'job' };

const KILL_CASES: readonly KillCase[] = [
  { name: 'making a Secret', before: [], act: synced({ pod: 'a' }), owners: ['web'], value: 'v1' },
  { name: 'writing', before: [{ pod: 'b' }], act: synced({ pod: 'a', ...V2 }), owners: ['web'], value: 'v2' },
  {
    name: 'coming to the Secret of others with newer values',
    before: [OTHER],
    act: synced({ pod: 'a', ...V2 }),
    owners: ['job', 'web'],
    value: 'v2',
  },
  {
    name: 'making an immutable Secret anew',
    before: [{ ...OTHER, ...IMMUTABLE }],
    act: synced({ pod: 'a', ...IMMUTABLE, ...V2 }),
    owners: ['job', 'web'],
    value: 'v2',
  },
  {
    name: 'writing what the driver has taken the owners from',
    before: [{ pod: 'b' }],
    since: async (secrets) => {
      secrets.replace(SECRET, 'driver', { labels: new Map([['secrets-store.csi.k8s.io/managed', 'true']]) });
    },
    act: synced({ pod: 'a', ...V2 }),
    owners: ['web'],
    value: 'v2',
  },
  {
    name: 'writing what another was killed at making',
    before: [],
    since: killedAtMaking,
    act: synced({ pod: 'a', ...V2 }),
    owners: ['job', 'web'],
    value: 'v2',
  },
  {
    name: 'dropping an owner while another was killed at making',
    before: [],
    since: killedAtMaking,
    act: dropped({ pod: 'a' }),
    owners: ['job'],
    value: 'v1',
  },
  { name: 'dropping the last owner', before: [], act: dropped({ pod: 'a' }), owners: undefined },
  { name: 'dropping the first owner', before: [], act: dropped({ pod: 'a' }, OTHER), owners: ['job'], value: 'v1' },
  { name: 'dropping a later owner', before: [OTHER], act: dropped({ pod: 'a' }), owners: ['job'], value: 'v1' },
  {
    name: 'letting go of what the class no longer names',
    before: [],
    act: async (sync) => {
      await sync.update(mountOf({ pod: 'a' }), SIGNAL);
      await sync.update(mountOf({ pod: 'a', secretObjects: [{ ...DB[0], secretName: 'new' }] }), SIGNAL);
    },
    owners: undefined,
  },
];

function synced(words: MountWords) {
  return async (sync: SecretSync) => void (await sync.update(mountOf(words), SIGNAL));
}

function dropped(words: MountWords, ...others: readonly MountWords[]) {
  return async (sync: SecretSync) => {
    for (const each of [words, ...others]) {
      await sync.update(mountOf(each), SIGNAL);
    }
    await sync.drop(mountOf(words).targetPath, SIGNAL);
  };
}

/** The Secret exists, and only the manager of its content applies its owner. */
async function killedAtMaking(secrets: MemorySecrets): Promise<void> {
  await expect(start(mortal(secrets, { at: 2, how: 'after' })).update(mountOf(OTHER), SIGNAL)).rejects.toThrow(
    'internal',
  );
}

describe.for(KILL_CASES)('a process killed while $name', ({ before, since, act, owners, value }) => {
  it.for(['before', 'after'] as const)(
    '%s any call leaves no Secret without an owner, and the next call completes the work',
    async (how) => {
      let survived = false;
      for (let at = 1; !survived; at++) {
        const cluster = createCluster();
        const { secrets } = cluster;
        for (const words of before) {
          await start(secrets).update(mountOf(words), SIGNAL);
        }
        await since?.(secrets);
        const whole = await cluster.stored();

        survived = await act(start(mortal(secrets, { at, how }))).then(
          () => true,
          () => false,
        );

        for (const name of ['db', 'new']) {
          const stored = await cluster.stored(name);
          const isUntouched = stored?.resourceVersion === whole?.resourceVersion;
          expect(stored?.owners.length === 0 && !isUntouched, `ownerless, killed ${how} call ${at}`).toBe(false);
        }
        await act(start(secrets));
        // Mounts whose owners were on the Secret restore them, if one was lost.
        for (const words of before) {
          await start(secrets).update(mountOf({ ...words, ...(value === 'v2' && V2) }), SIGNAL);
        }
        const shown = await cluster.shown();
        expect(shown?.owners, `killed ${how} call ${at}`).toEqual(owners);
        expect(shown?.data['password']).toBe(value);
        expect(at).toBeLessThan(40);
      }
    },
  );
});
