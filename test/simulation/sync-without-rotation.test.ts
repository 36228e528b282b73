import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createRandom } from '../fakes/random.ts';
import { createVirtualClock } from '../fakes/virtual-clock.ts';
import { createApiServerModel } from './api-server-model.ts';
import { createAwsModel } from './aws-model.ts';
import { createNode } from './node-model.ts';
import {
  accountObject,
  type ClassPlan,
  classObject,
  NAMESPACE,
  parametersOf,
  replicaSetObject,
  roleOf,
} from './objects.ts';

const INTERVAL_MS = 120_000;
const INTERVALS = 10;
/** A poll comes up to a fifth of the interval early. */
const MOST_POLLS = INTERVALS / 0.8 + 1;
const CLASS: ClassPlan = { name: 'class', secrets: ['secret'], secretName: 'synced' };
const WORKLOAD = { name: 'web', account: 'web', className: CLASS.name, replicas: 1, restarts: false, isTrusted: true };

it('sync without rotation polls the API server once per interval, and AWS never', async () => {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'sync-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [clock, random] = [createVirtualClock(), createRandom(1)];
  const [aws, api] = [createAwsModel(clock, random), createApiServerModel(clock, random)];
  aws.rotate('secret');
  aws.allow(roleOf('web'), 'secret', true);
  api.put(accountObject('web'));
  api.put(classObject(CLASS));
  api.put(replicaSetObject(WORKLOAD, 1));
  const node = createNode('node', {
    clock,
    random,
    aws,
    api,
    folder,
    driver: 'without rotation',
    flags: [
      '--enable-secret-rotation=false',
      '--restart-on-rotation=false',
      `--rotation-poll-interval=${INTERVAL_MS}ms`,
    ],
    parametersOf: () => parametersOf(CLASS),
    onWrite: () => undefined,
    tell: () => undefined,
  });
  node.start();
  node.runPod(WORKLOAD, 1, 'web-1');
  await clock.advance(INTERVAL_MS);
  const [before, askedBefore] = [api.calls.length, aws.calls.length];

  await clock.advance(INTERVALS * INTERVAL_MS);
  const calls = Map.groupBy(api.calls.slice(before), ({ verb, resource }) => `${verb} ${resource}`);
  node.kill();

  expect(api.find(`/api/v1/namespaces/${NAMESPACE}/secrets/synced`)).toBeDefined();
  const askedAtEachPoll = ['get replicasets', 'get secretproviderclasses', 'get secrets'];
  const polls = askedAtEachPoll.map((asked) => calls.get(asked)?.length ?? 0);
  expect(Math.min(...polls)).toBeGreaterThanOrEqual(INTERVALS);
  expect(Math.max(...polls)).toBeLessThanOrEqual(MOST_POLLS);
  expect([...calls.keys()].toSorted()).toEqual([...askedAtEachPoll, 'list pods']);
  expect(aws.calls).toHaveLength(askedBefore);
});
