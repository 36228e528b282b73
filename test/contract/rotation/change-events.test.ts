import { SYSTEM_CLOCK } from '../../../src/concurrency/clock.ts';
import { CreateQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, inject, it } from 'vitest';
import { accountKeys } from '../../fakes/aws/seed.ts';
import { callsOf } from '../daemon/calls.ts';
import { contentsOf } from '../daemon/node.ts';
import { REGION, startCluster, type TestCluster } from './cluster.ts';
import { startAside } from './provider.ts';
import { parameter, secret, SOON } from './values.ts';

/** A node whose provider may read a queue in its own account. */
async function startListening(cluster: TestCluster, intervalFlag: string, queue = 'changes') {
  const { account } = cluster.aws;
  const keys = await accountKeys(inject('motoUrl'), `arn:aws:iam::${account}:role/provider`, 'provider');
  const client = new SQSClient({ region: REGION, endpoint: inject('motoUrl'), credentials: keys });
  await client.send(new CreateQueueCommand({ QueueName: 'changes' }));
  function urlOf(name: string): string {
    return `https://sqs.${REGION}.amazonaws.com/${account}/${name}`;
  }
  const node = await cluster.startNode(
    'node-1',
    ['--enable-secret-rotation', intervalFlag, `--rotation-queue-url=${urlOf(queue)}`],
    {
      start: startAside,
      env: {
        AWS_ENDPOINT_URL_SQS: inject('motoUrl'),
        AWS_ACCESS_KEY_ID: keys.accessKeyId,
        AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
        AWS_SESSION_TOKEN: keys.sessionToken,
      },
    },
  );
  async function send(message: object): Promise<void> {
    await client.send(new SendMessageCommand({ QueueUrl: urlOf('changes'), MessageBody: JSON.stringify(message) }));
  }
  return { node, send };
}

function secretChanged(name: string) {
  return {
    source: 'aws.secretsmanager',
    'detail-type': 'Secret Label Updated',
    region: REGION,
    detail: { name, labelUpdated: 'AWSCURRENT' },
  };
}

function parameterChanged(name: string) {
  return {
    source: 'aws.ssm',
    'detail-type': 'Parameter Store Change',
    region: REGION,
    detail: { name, operation: 'Update' },
  };
}

describe.concurrent('a change queue', () => {
  it('refreshes pods long before the interval ends, and polls no others', async ({ expect }) => {
    await using cluster = await startCluster(SYSTEM_CLOCK);
    const { node, send } = await startListening(cluster, '--rotation-poll-interval=5m');
    await cluster.addAccount('other');
    for (const name of ['db', 'still']) {
      await cluster.seed.secret(name, 'old');
    }
    await cluster.seed.parameter('/url', 'old');
    await cluster.applyClass('class', { objects: [secret('db'), parameter('/url', 'url')] });
    await cluster.applyClass('still', { objects: [secret('still')] });
    const pods = [
      await node.startPod('web-1', { className: 'class' }),
      await node.startPod('web-2', { className: 'class' }),
    ];
    const other = await node.startPod('other', { className: 'still', serviceAccount: 'other' });

    const calls = await callsOf(cluster, async () => {
      await cluster.seed.secretVersion('db', 'new');
      await send(secretChanged('db'));
      await expect
        .poll(() => Promise.all(pods.map(({ targetPath }) => contentsOf(targetPath))), SOON)
        .toMatchObject(pods.map(() => ({ db: ['644', 'new'] })));
      // Messages arrive in order: with the last value the event of another secret has been read too.
      for (const value of ['new', 'newest']) {
        await send(secretChanged('other-secret'));
        await cluster.seed.parameter('/url', value);
        await send(parameterChanged('/url'));
        await expect
          .poll(() => Promise.all(pods.map(({ targetPath }) => contentsOf(targetPath))), SOON)
          .toMatchObject(pods.map(() => ({ url: ['644', value] })));
      }
    });

    expect(calls['GetParameters']).toBe(3);
    expect(await contentsOf(other.targetPath)).toEqual({ still: ['644', 'old'] });
    expect(cluster.aws.gate.state.count({ resource: 'still' })).toBe(1);
  });

  it('that cannot be read is reported, and polling continues', async ({ expect }) => {
    await using cluster = await startCluster(SYSTEM_CLOCK);
    const { node } = await startListening(cluster, '--rotation-poll-interval=1s', 'none');
    await cluster.seed.secret('db', 'old');
    await cluster.applyClass('class', { objects: [secret('db')] });
    const pod = await node.startPod('web-1', { className: 'class' });

    await cluster.seed.secretVersion('db', 'new');

    await expect.poll(() => contentsOf(pod.targetPath), SOON).toEqual({ db: ['644', 'new'] });
    await expect
      .poll(() => node.said('change queue is not readable: changes are found by polling'), SOON)
      .toMatchObject([{ reason: 'ObjectNotFound' }]);
  });
});
