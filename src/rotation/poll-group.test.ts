import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { SYSTEM_CLOCK } from '../concurrency/clock.ts';
import { createTimeSlices } from '../concurrency/time-slices.ts';
import { ProviderError } from '../model/errors.ts';
import { createClassReader } from '../mount/class-reader.ts';
import { createVolumes } from '../mount/volume/volumes.ts';
import { SecretBytes } from '../model/secret-bytes.ts';
import type { DownstreamStep, RefreshedMount, Verdict } from '../model/downstream.ts';
import { createNodeMounts, type NodeMount } from './node-mounts.ts';
import { pollGroup } from './poll-group.ts';
import type { PollDeps } from './rotation-deps.ts';

const NEVER = new AbortController().signal;
const POD = { namespace: 'shop', name: 'web-1', uid: 'uid-1', serviceAccount: 'web' } as const;
const VERSION_1 = new Map([['db', 'v1']]);
const VERSION_2 = new Map([['db', 'v2']]);

/** The pod's status, from which a restarted process continues. */
let noted: ReadonlyMap<string, string>;

beforeEach(() => {
  noted = VERSION_1;
});

interface Rotation {
  readonly downstream?: readonly DownstreamStep['update'][];
  /** When the cached values were fetched; default: during the poll. */
  readonly confirmedAt?: number;
  /** Happens during the call to AWS. */
  meanwhile?(targetPath: string): Promise<unknown>;
}

/** A mount with v1 in its volume, and an AWS that has v2 now. */
async function rotatedMount({ downstream = [], confirmedAt, meanwhile }: Rotation) {
  const kubeletDir = await mkdtemp(join(tmpdir(), 'poll-'));
  onTestFinished(() => rm(kubeletDir, { recursive: true }));
  const targetPath = join(kubeletDir, 'pods', POD.uid, 'volumes', 'kubernetes.io~csi', 'secrets', 'mount');
  await mkdir(targetPath, { recursive: true });
  const parameters = new Map([
    ['objects', '[{objectName: db, objectType: secretsmanager}]'],
    ['region', 'us-east-1'],
  ]);
  const slices = createTimeSlices(SYSTEM_CLOCK);
  const volumes = createVolumes({ clock: SYSTEM_CLOCK, slices });
  const deps: PollDeps = {
    providerName: 'aws',
    clock: SYSTEM_CLOCK,
    slices,
    rotates: true,
    refresh: async () => undefined,
    async noteVersions(_mount, versions) {
      noted = versions;
    },
    notedVersions: async () => noted,
    mountTimeoutMs: 60_000,
    readClass: createClassReader(slices, SYSTEM_CLOCK),
    defaultRegion: async () => 'us-east-1',
    authenticate: async ({ objects }) => ({
      async fetchAll() {
        await meanwhile?.(targetPath);
        const value = SecretBytes.fromText('p2');
        return new Map(
          objects.map((object) => [object, { version: 'v2', value, confirmedAt: confirmedAt ?? SYSTEM_CLOCK.now() }]),
        );
      },
      confirmVersions: async () => undefined,
    }),
    volumes,
    classOf: async (namespace, name) => ({
      namespace,
      name,
      provider: 'aws',
      parameters,
      annotations: new Map(),
      secretObjects: undefined,
    }),
    podOf: async () => undefined,
    downstream: downstream.map((update) => ({ update })),
  };
  const mount: NodeMount = createNodeMounts(SYSTEM_CLOCK, kubeletDir).learn({
    targetPath,
    pod: POD,
    volume: 'secrets',
    className: 'shop',
    nodePod: {
      ref: POD,
      hasEnded: false,
      isTerminating: false,
      labels: new Map(),
      owner: { apiVersion: 'v1', kind: 'Pod', name: POD.name, uid: POD.uid },
      volumes: new Map([['secrets', new Map([['secretProviderClass', 'shop']])]]),
    },
  });
  const files = [{ path: 'db', mode: 0o644, value: SecretBytes.fromText('p1') }];
  const spec = { regions: ['us-east-1'], authentication: { kind: 'irsa' }, objects: [] } as const;
  await volumes.publish({ ...spec, targetPath, pod: POD, tokens: new Map() }, { files, versions: VERSION_1 }, NEVER);
  return {
    poll: async () => (await pollGroup([mount], deps, NEVER)).get(mount),
    contents: async () => (await volumes.read({ targetPath, pod: POD })).files.map(({ value }) => value.exposeText()),
  };
}

it('records new versions after all downstream steps, so that a kill in between repeats the steps after the restart', async () => {
  const following = Promise.withResolvers<RefreshedMount>();
  const followed = Promise.withResolvers<Verdict>();
  const { poll } = await rotatedMount({
    downstream: [
      (mount) => {
        following.resolve(mount);
        return followed.promise;
      },
    ],
  });

  const polling = poll();
  expect((await following.promise).versions).toEqual(VERSION_2);
  expect(noted).toEqual(VERSION_1);
  followed.resolve({});

  expect(await polling).toEqual({ isServed: true, rotated: ['db'] });
  expect(noted).toEqual(VERSION_2);
});

it('restarts no workload before its Secret could be written', async () => {
  const seen: string[] = [];
  const { poll } = await rotatedMount({
    downstream: [
      () => Promise.reject(new ProviderError('KubernetesUnavailable', 'etcd leader changed')),
      async () => {
        seen.push('rolled');
        return {};
      },
    ],
  });

  expect(await poll()).toMatchObject({ isServed: true, error: { reason: 'KubernetesUnavailable' } });
  expect(seen).toEqual([]);
});

it('restarts a workload although its Secret is permanently refused', async () => {
  const seen: string[] = [];
  const { poll } = await rotatedMount({
    downstream: [
      () => Promise.reject(new ProviderError('SecretRefused', 'not managed')),
      async ({ versions }) => {
        seen.push(`rolled for ${versions.get('db')}`);
        return {};
      },
    ],
  });

  expect(await poll()).toMatchObject({ isServed: true, error: { reason: 'SecretRefused' } });
  expect(seen).toEqual(['rolled for v2']);
});

it('changes the files of a pod once AWS has confirmed the new values', async () => {
  const { poll, contents } = await rotatedMount({});

  expect(await poll()).toEqual({ isServed: true, rotated: ['db'] });
  expect(await contents()).toEqual(['p2']);
});

it('leaves the files unchanged if a value comes only from the cache, because the others may be older', async () => {
  const { poll, contents } = await rotatedMount({ confirmedAt: 0 });

  expect(await poll()).toEqual({ isServed: true, rotated: [] });
  expect(await contents()).toEqual(['p1']);
  expect(noted).toEqual(VERSION_1);
});

it('does not tell the Secrets of old files that AWS confirmed them when it confirmed the newer values of the cache', async () => {
  const seen: number[] = [];
  const { poll } = await rotatedMount({
    // Before the poll begins.
    confirmedAt: SYSTEM_CLOCK.now() - 1,
    downstream: [
      async ({ versions, confirmedAt }) => {
        expect(versions).toEqual(VERSION_1);
        seen.push(confirmedAt);
        return {};
      },
    ],
  });
  await poll();

  // The old files were not confirmed to this process, so their time is 1970.
  expect(seen.map((time) => new Date(time + 1_000).getUTCFullYear())).toEqual([1970]);
});

it('does not fill a volume again that the driver has emptied meanwhile', async () => {
  const { poll, contents } = await rotatedMount({
    async meanwhile(targetPath) {
      for (const entry of await readdir(targetPath)) {
        await rm(join(targetPath, entry), { recursive: true });
      }
    },
  });

  expect(await poll()).toEqual({ isGone: true });
  expect(await contents()).toEqual([]);
});
