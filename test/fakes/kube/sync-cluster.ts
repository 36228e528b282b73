import { clockAt } from '../virtual-clock.ts';
import { ProviderError } from '../../../src/model/errors.ts';
import type { NodePod, ProviderClass } from '../../../src/model/kube-objects.ts';
import type { StoredSecret } from '../../../src/sync/secret-api.ts';
import { createSecretSync } from '../../../src/sync/secret-sync.ts';
import { createMemorySecrets } from './memory-secrets.ts';
import { mountOf, type MountWords, NAMESPACE } from './mounts.ts';

export const SECRET = { namespace: NAMESPACE, name: 'db' };

export const VERIFY_MS = 60_000;
export const SIGNAL = new AbortController().signal;

/** Owners have only the pods that are synced here. */
export const NO_OTHER_PODS = {
  podsOf: () => Promise.resolve([]),
  classOf: noClass,
  ownerOf: async ({ owner }: NodePod) => owner,
};

export type Cluster = ReturnType<typeof createCluster>;

/** Secrets and pods, and any number of nodes, each with a separate process. */
export function createCluster() {
  const secrets = createMemorySecrets();
  const pods: NodePod[] = [];
  const classes = new Map<string, ProviderClass>();
  let time = 10_000;

  async function stored(name = SECRET.name) {
    const found = await secrets.read({ namespace: NAMESPACE, name }, SIGNAL);
    // Reads of the test itself do not count as calls.
    secrets.calls.pop();
    return found;
  }

  return {
    secrets,
    pods,
    classes,
    node() {
      const sync = createSecretSync({
        ...NO_OTHER_PODS,
        secrets,
        podsOf: async (_namespace, { uid }) => pods.filter(({ owner }) => owner.uid === uid),
        classOf: async (_namespace, name) => classes.get(name) ?? (await noClass()),
        verifyMs: VERIFY_MS,
        clock: clockAt(() => time),
      });
      return {
        sync: (words: MountWords) => sync.update(mountOf(words), SIGNAL),
        drop: (pod: string) => sync.drop(mountOf({ pod }).targetPath, SIGNAL),
      };
    },
    pass(ms: number) {
      time += ms;
    },
    stored,
    async shown(name?: string) {
      return show(await stored(name));
    },
    /** The calls since the last query. */
    calls() {
      return secrets.calls.splice(0);
    },
  };
}

/** The fields of a Secret that tests check. */
export function show(stored: StoredSecret | undefined) {
  return (
    stored && {
      type: stored.type,
      data: Object.fromEntries(Array.from(stored.data, ([key, value]) => [key, value.exposeText()])),
      owners: stored.owners.map(({ name }) => name).toSorted(),
      confirmedAt: Date.parse(stored.annotations.get('aws-secrets-csi/as-of') ?? ''),
    }
  );
}

function noClass(): Promise<never> {
  return Promise.reject(new ProviderError('ClassMissing', 'there is none'));
}
