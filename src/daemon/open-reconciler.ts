import type { Fetcher } from '../aws/fetch.ts';
import type { Config } from '../config/config.ts';
import { createClassLookup } from '../kube/classes.ts';
import type { Kube } from '../kube/client.ts';
import { createEventRecorder } from '../kube/events.ts';
import { createPodStatusApi, type MountStatusKey } from '../kube/pod-statuses.ts';
import { createPodApi } from '../kube/pods.ts';
import { createOwnerApi } from '../kube/owners.ts';
import { createSecretApi } from '../kube/secrets.ts';
import { createWorkloadApi } from '../kube/workloads.ts';
import type { ServeDeps, SpecDeps } from '../mount/serve.ts';
import type { Logger } from '../observability/logger.ts';
import { createRestarts } from '../restart/rolling-restart.ts';
import type { NodeMount } from '../rotation/node-mounts.ts';
import { type Reconciler, startReconciler } from '../rotation/reconciler.ts';
import { createSecretSync } from '../sync/secret-sync.ts';
import { NAME } from '../model/version.ts';

export interface OpenReconcilerDeps {
  readonly config: Config;
  readonly log: Logger;
  readonly kube: Kube;
  readonly serve: SpecDeps & ServeDeps;
  readonly fetcher: Pick<Fetcher, 'refresh'>;
}

/** Wires the reconciler. @returns undefined if neither rotation nor sync is enabled */
export function openReconciler({ config, log, kube, serve, fetcher }: OpenReconcilerDeps): Reconciler | undefined {
  const { rotation, syncSecret, restart, providerName, rotationPollIntervalMs: intervalMs, mountTimeoutMs } = config;
  const { nodeName } = config.kube;
  if (nodeName === undefined || (!rotation.enabled && !syncSecret)) {
    return undefined;
  }
  const pods = createPodApi(kube);
  const owners = createOwnerApi(kube);
  const statuses = createPodStatusApi(kube);
  const recordEvent = createEventRecorder(kube, { component: NAME, nodeName });
  const classOf = createClassLookup(kube);
  const sync = createSecretSync({
    secrets: createSecretApi(kube),
    podsOf: pods.podsOf,
    ownerOf: owners.ownerOf,
    classOf,
    clock: serve.clock,
    verifyMs: intervalMs / 2,
    policy: config.secretPolicy,
  });
  const restarts = createRestarts({
    clock: serve.clock,
    workloads: createWorkloadApi(kube, owners),
    minIntervalMs: restart.minIntervalMs,
    recordEvent,
  });
  return startReconciler({
    ...serve,
    refresh: fetcher.refresh,
    downstream: [...(syncSecret ? [sync] : []), ...(restart.enabled ? [restarts] : [])],
    rotates: rotation.enabled,
    providerName,
    nodeName,
    intervalMs,
    mountTimeoutMs,
    log,
    recordEvent,
    classOf,
    listPods: (signal) => pods.listPods(nodeName, signal),
    podOf: pods.getPod,
    kubeletDir: config.volumes.kubeletDir,
    notedVersions: (mount, signal) => statuses.notedVersions(statusOf(mount), signal),
    noteVersions: (mount, versions, signal) => statuses.noteVersions(statusOf(mount), versions, signal),
    drop: sync.drop,
  });
}

function statusOf({ pod, className, targetPath }: NodeMount): MountStatusKey {
  return { namespace: pod.namespace, podName: pod.name, className, targetPath };
}
