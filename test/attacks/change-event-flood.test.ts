import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AttackedNode, REGION, startAttackedNode } from './node/attacked-node.ts';

const CLASS = { objects: '[{objectName: flooded, objectType: secretsmanager}]' };

let node: AttackedNode;
let floods = false;
/** A queue that is never empty: ten new messages for each receive. */
const queue = createServer((_request, response) => {
  const Messages = floods ? ['flooded', 'x'.repeat(3_000)].flatMap((name) => fiveOf(name)) : [];
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify({ Messages }));
});

beforeAll(async () => {
  queue.listen(0, '127.0.0.1');
  await once(queue, 'listening');
  const url = `http://127.0.0.1:${(queue.address() as AddressInfo).port}`;
  node = await startAttackedNode({
    args: [
      '--enable-secret-rotation',
      '--rotation-poll-interval=1h',
      `--rotation-queue-url=https://sqs.${REGION}.amazonaws.com/111122223333/changes`,
    ],
    env: {
      AWS_ENDPOINT_URL_SQS: url,
      AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'example',
    },
  });
});
afterAll(async () => {
  await node[Symbol.asyncDispose]();
  queue.close();
  queue.closeAllConnections();
});

/** Messages that report a change of this secret. */
function fiveOf(name: string) {
  const message = { source: 'aws.secretsmanager', 'detail-type': 'Secret Label Updated', region: REGION };
  const Body = JSON.stringify({ ...message, detail: { name, labelUpdated: 'AWSCURRENT' } });
  const MD5OfBody = createHash('md5').update(Body).digest('hex');
  return Array.from({ length: 5 }, () => ({ MessageId: randomUUID(), ReceiptHandle: 'r', Body, MD5OfBody }));
}

it('a sender who floods the queue causes at most one poll of a mount every five seconds, and hides no change', async () => {
  const { state } = node.aws.gate;
  await node.seed.secret('flooded', 'old');
  node.api.put({
    apiVersion: 'secrets-store.csi.x-k8s.io/v1',
    kind: 'SecretProviderClass',
    metadata: { namespace: 'shop', name: 'class' },
    spec: { provider: 'aws', parameters: CLASS },
  });
  const pods = [await node.addPod('shop', 'web-1', 'web'), await node.addPod('shop', 'web-2', 'web')];
  for (const pod of pods) {
    await node.mount(pod, CLASS);
  }
  const before = state.count({ resource: 'flooded' });
  const begun = performance.now();
  floods = true;
  // The second change is reported while polls wait until they are due.
  for (const value of ['new', 'newest']) {
    await node.seed.secretVersion('flooded', value);
    await expect
      .poll(() => Promise.all(pods.map(({ targetPath }) => readFile(join(targetPath, 'flooded'), 'utf8'))), {
        timeout: 60_000,
        interval: 250,
      })
      .toEqual([value, value]);
  }
  const polls = state.count({ resource: 'flooded' }) - before;
  expect(polls).toBeGreaterThan(0);
  expect(polls).toBeLessThanOrEqual(Math.ceil((performance.now() - begun) / 5_000) + 1);
});
