import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { connect } from '../../../src/grpc/client.ts';
import { openCluster } from '../cluster/cluster.ts';
import { makeProviderImage } from '../cluster/images.ts';
import { CHECKOUT } from '../cluster/layout.ts';
import { secretProviderClass } from '../provider/objects.ts';
import { providerPod } from '../provider/provider-process.ts';
import { installRelease, PROVIDER_NAMESPACE, type Release } from '../provider/release.ts';
import { openScenario, type Scenario } from '../provider/scenario.ts';
import { firstListing, listsFirst } from '../provider/with-container.ts';

const PATIENCE = { timeout: 60_000, interval: 500 };
const SOCKET_NAME = 'aws-upgraded';
const SOCKET = `/run/secrets-store-csi-providers/${SOCKET_NAME}.sock`;
const NEXT = { repository: 'e2e.local/aws-secrets-csi', tag: 'next' };
/** The new pod takes the socket over before the old one stops. */
const SURGE = { updateStrategy: { rollingUpdate: { maxSurge: '10%', maxUnavailable: 0 } } };
const FILES = { db: ['644', 'p1'] };

const cluster = await openCluster();

describe.runIf(cluster.owned)('an upgrade with surge under running pods', () => {
  const resources = new AsyncDisposableStack();
  let scenario: Scenario;
  let release: Release;

  beforeAll(async () => {
    const image = await makeProviderImage(path.join(CHECKOUT, 'dist'), `${NEXT.repository}:${NEXT.tag}`);
    await cluster.importImage(image);
    const values = { socketName: SOCKET_NAME, ...SURGE };
    release = resources.use(await installRelease(cluster, inject('provider'), 'aws-secrets-csi-upgraded', values));
    scenario = resources.use(await openScenario(cluster, 'upgrade'));
    await scenario.seed.secret('db', 'p1');
    const object = { objectName: 'db', objectType: 'secretsmanager' };
    await scenario.apply(secretProviderClass('db', [object], { provider: SOCKET_NAME }));
  });

  afterAll(() => resources.disposeAsync());

  /** Starts one pod after the other until it is stopped. @returns their names */
  async function startPodsUntil(stop: AbortSignal): Promise<readonly string[]> {
    const names: string[] = [];
    while (!stop.aborted) {
      const name = `during-${names.length}`;
      names.push(name);
      await scenario.apply(listsFirst(scenario.pod(name, { classes: ['db'] }), 'db'));
    }
    return names;
  }

  test('fails no mount and no call, and running pods keep their files and get new ones', async () => {
    const before = await providerPod(cluster, release.name);
    await scenario.startPods(scenario.pod('before', { classes: ['db'] }));
    const oldSocket = await cluster.runInNode(['stat', '--format=%i', SOCKET]);

    const upgraded = new AbortController();
    const meanwhile = Promise.all([startPodsUntil(upgraded.signal), askOften(upgraded.signal)]);
    await release.upgrade({ socketName: SOCKET_NAME, image: NEXT, ...SURGE });
    await cluster.kubectl([
      'wait',
      `pod/${before.metadata.name}`,
      `--namespace=${PROVIDER_NAMESPACE}`,
      '--for=delete',
      '--timeout=60s',
    ]);
    upgraded.abort();
    const [names, { answered, failed }] = await meanwhile;
    const kept = await scenario.filesOf('before', 'db');
    await scenario.kubectl('wait', '--for=condition=Ready', 'pod', ...names, '--timeout=90s');
    const failures = await scenario.kubectl('get', 'events', '--field-selector=reason=FailedMount', '--output=name');
    await scenario.seed.secretVersion('db', 'p2');
    await expect.poll(() => scenario.filesOf('before', 'db'), PATIENCE).toEqual({ db: ['644', 'p2'] });
    console.log(`upgrade: ${names.length} pods started meanwhile, ${answered} calls answered, ${failed.length} failed`);

    expect(failed).toEqual([]);
    expect(answered).toBeGreaterThan(20);
    expect(names.length).toBeGreaterThan(3);
    for (const name of names) {
      expect(await firstListing(scenario, name)).toEqual(FILES);
    }
    expect(failures).toBe('');
    expect(kept).toEqual(FILES);
    expect(await cluster.runInNode(['stat', '--format=%i', SOCKET])).not.toBe(oldSocket);
  });
});

/** Dials the socket anew for each of many calls, until it is stopped. @returns@returns their results */
async function askOften(stop: AbortSignal): Promise<{ readonly answered: number; readonly failed: readonly string[] }> {
  const socket = await cluster.nodePath(SOCKET);
  const failed: string[] = [];
  let answered = 0;
  while (!stop.aborted) {
    using client = connect(socket, 2_000);
    await client.version(AbortSignal.timeout(2_000)).then(
      () => (answered += 1),
      (error: unknown) => failed.push(String(error)),
    );
    await sleep(10);
  }
  return { answered, failed };
}
