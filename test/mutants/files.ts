/** Source that is mutated, and the tests that must detect it. */
interface MutatedFile {
  readonly source: string;
  readonly tests: readonly string[];
}

function file(source: string, ...tests: readonly string[]): MutatedFile {
  return { source, tests };
}

/** The only place of these paths: change them here if a file moves. */
export const FILES = {
  backOff: file('src/rotation/back-off.ts', 'src/rotation/schedule.test.ts'),
  advice: file('src/aws/errors/advice.ts', 'src/aws/errors/aws-error.test.ts'),
  retryWait: file(
    'src/concurrency/retry-wait.ts',
    'src/aws/cache/throttling.test.ts',
    'src/aws/change-events/receive.test.ts',
  ),
  batchOfSecrets: file('src/aws/stores/secrets-manager.ts', 'test/contract/daemon/batch.test.ts'),
  callSignal: file('src/grpc/call-signal.ts', 'src/grpc/call-signal.test.ts'),
  cachedStore: file('src/aws/cache/cached-store.ts', 'src/aws/cache/cached-store'),
  clockSkew: file('src/model/clock-skew.ts', 'src/restart/plan-restart.test.ts', 'src/sync/decide.test.ts'),
  credentials: file('src/aws/identity/credentials.ts', 'src/aws/identity/credentials.test.ts'),
  credentialsCache: file('src/aws/identity/credentials-cache.ts', 'src/aws/identity/credentials-cache.test.ts'),
  decide: file('src/sync/decide.ts', 'src/sync/decide.test.ts'),
  deniedActions: file('src/aws/stores/denied-actions.ts', 'src/aws/stores/denied-actions.test.ts'),
  failover: file('src/aws/stores/failover.ts', 'src/aws/stores/failover.test.ts'),
  downstream: file('src/rotation/downstream.ts', 'src/rotation/poll-group.test.ts'),
  groups: file('src/rotation/groups.ts', 'src/rotation/groups.test.ts'),
  identity: file('src/aws/model/identity.ts', 'src/aws/model/identity.test.ts'),
  keyedLock: file('src/concurrency/keyed-lock.ts', 'src/concurrency/keyed-lock.test.ts'),
  fairQueue: file('src/concurrency/fair-queue.ts', 'src/concurrency/fair-queue', 'src/concurrency/limiter.test.ts'),
  stillNeeded: file('src/sync/still-needed.ts', 'src/sync/secret-drop.test.ts'),
  ownership: file(
    'src/sync/ownership.ts',
    'src/sync/secret-sync.test.ts',
    'src/sync/secret-drop.test.ts',
    'src/sync/decide.test.ts',
  ),
  getObject: file('src/kube/get.ts', 'test/contract/kube/workloads.test.ts'),
  owners: file('src/kube/owners.ts', 'test/contract/kube/workloads.test.ts'),
  planRestart: file('src/restart/plan-restart.ts', 'src/restart/plan-restart.test.ts'),
  podIdentity: file('src/aws/identity/pod-identity.ts', 'src/aws/identity/pod-identity.test.ts'),
  publish: file('src/mount/volume/publish.ts', 'src/mount/volume/publish'),
  queue: file('src/aws/change-events/receive.ts', 'src/aws/change-events/receive.test.ts'),
  restarts: file('src/restart/rolling-restart.ts', 'src/restart/rolling-restart'),
  schedule: file('src/rotation/schedule.ts', 'src/rotation/schedule.test.ts'),
  secretSync: file('src/sync/secret-sync.ts', 'src/sync/secret-'),
  serve: file('src/mount/serve.ts', 'src/rotation/poll-group.test.ts'),
  secretWriter: file('src/sync/secret-writer.ts', 'src/sync/secret-'),
  reconcileSecret: file('src/sync/reconcile-secret.ts', 'src/sync/secret-'),
  secretApi: file('src/kube/secrets.ts', 'test/contract/kube/secrets.test.ts'),
  sharedLookup: file('src/concurrency/shared-lookup.ts', 'src/concurrency/shared-lookup.test.ts'),
  sourceKey: file('src/aws/cache/source-key.ts', 'src/aws/cache/source-key.test.ts'),
  discoverMounts: file('src/rotation/discover-mounts.ts', 'src/rotation/discover-mounts.test.ts'),
  tokenRequests: file('src/kube/token-requests.ts', 'test/contract/kube/tokens.test.ts'),
  pollGroup: file('src/rotation/poll-group.ts', 'src/rotation/poll-group.test.ts'),
  sharedFetches: file('src/aws/cache/shared-fetches.ts', 'src/aws/cache/cached-store'),
  objectCache: file('src/aws/cache/object-cache.ts', 'src/aws/cache/object-cache', 'src/aws/cache/cached-store'),
  volumes: file('src/mount/volume/volumes.ts', 'src/mount/volume/volumes.test.ts'),
} as const satisfies Readonly<Record<string, MutatedFile>>;

/** One bug, put into the source. */
export interface Mutant {
  /** What the mutant does wrong. */
  readonly bug: string;
  readonly file: keyof typeof FILES;
  /** Occurs once in it. */
  readonly find: string;
  readonly replace: string;
  /** Whether the simulation must detect it too: what a reader would fear of several nodes, faults and time. */
  readonly isSimulated?: boolean;
}
