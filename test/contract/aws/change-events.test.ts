import { CreateQueueCommand, GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { createHastyClock } from '../../fakes/virtual-clock.ts';
import type { Credentials } from '../../../src/aws/client/clients.ts';
import { SYSTEM_CLOCK } from '../../../src/concurrency/clock.ts';
import { type EventOptions, receiveEvents } from '../../../src/aws/change-events/receive.ts';
import type { ChangeEvent } from '../../../src/aws/change-events/parse-event.ts';
import type { ProviderError } from '../../../src/model/errors.ts';
import { accountKeys } from '../../fakes/aws/seed.ts';
import { mintToken } from '../../fakes/aws/web-token.ts';
import { openFakes, settingsFor } from './fetch-fixture.ts';

const REGION = 'us-east-1';
const ACCOUNT = '111122223333';

/** A new queue, and keys that may read it, in the environment of the SDK. */
async function openQueue(account = ACCOUNT) {
  const name = `changes-${crypto.randomUUID()}`;
  const keys = await accountKeys(inject('motoUrl'), `arn:aws:iam::${account}:role/provider`, 'provider');
  stubKeys(keys);
  const client = new SQSClient({ region: REGION, endpoint: inject('motoUrl'), credentials: keys });
  await client.send(new CreateQueueCommand({ QueueName: name }));
  const QueueUrl = `https://sqs.${REGION}.amazonaws.com/${account}/${name}`;
  return {
    url: QueueUrl,
    send: (body: string) => client.send(new SendMessageCommand({ QueueUrl, MessageBody: body })),
    async attributes() {
      const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
      return Attributes ?? {};
    },
  };
}

/** The keys that the SDK finds in the environment: these, or none. */
function stubKeys(keys: Partial<Credentials>): void {
  vi.stubEnv('AWS_ACCESS_KEY_ID', keys.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', keys.secretAccessKey);
  vi.stubEnv('AWS_SESSION_TOKEN', keys.sessionToken);
  // And nowhere else on this machine.
  vi.stubEnv('AWS_PROFILE', undefined);
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nowhere');
  vi.stubEnv('AWS_CONFIG_FILE', '/nowhere');
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
}

function changed(name: string): string {
  return JSON.stringify({
    source: 'aws.secretsmanager',
    'detail-type': 'Secret Label Updated',
    region: REGION,
    detail: { name, labelUpdated: 'AWSCURRENT' },
  });
}

/** A listener, and what it has reported. */
function listenTo(queueUrl: string, changes: Partial<EventOptions> = {}) {
  const told: ChangeEvent[] = [];
  const troubles: (ProviderError | 'over')[] = [];
  const listener = receiveEvents({
    queueUrl,
    settings: settingsFor(inject('motoUrl')),
    clock: SYSTEM_CLOCK,
    onEvents: (events) => void told.push(...events),
    onTrouble: (error) => void troubles.push(error),
    onRecovery: () => void troubles.push('over'),
    repeatMs: 50,
    retryMs: 20,
    ...changes,
  });
  onTestFinished(() => listener[Symbol.asyncDispose]());
  return { told, troubles, names: () => told.map(({ id }) => id), stop: () => listener[Symbol.asyncDispose]() };
}

/** A queue behind a gate that counts, and the provider's own token in the environment of the SDK. */
async function openGate() {
  const fakes = await openFakes();
  onTestFinished(() => fakes[Symbol.asyncDispose]());
  const queue = await openQueue(fakes.account);
  stubKeys({});
  const tokenFile = join(await mkdtemp(join(tmpdir(), 'change-events-')), 'token');
  onTestFinished(() => rm(dirname(tokenFile), { recursive: true }));
  await writeFile(tokenFile, mintToken('kube-system/provider'));
  vi.stubEnv('AWS_WEB_IDENTITY_TOKEN_FILE', tokenFile);
  vi.stubEnv('AWS_ROLE_ARN', fakes.addRole('provider', ['kube-system/provider']));
  return { state: fakes.gate.state, queue, settings: settingsFor(fakes.gate.url) };
}

it('reports each message once to every listener, and leaves it in the queue', async () => {
  const queue = await openQueue();
  const [first, second] = [listenTo(queue.url), listenTo(queue.url)];
  await queue.send(changed('a'));
  await queue.send(changed('b'));

  await expect
    .poll(() => [first, second].map(({ names }) => names().toSorted()))
    .toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  const late = listenTo(queue.url);
  await expect.poll(() => late.names().toSorted()).toEqual(['a', 'b']);
  expect(first.told).toHaveLength(2);
  expect(first.told).toContainEqual({ store: 'secretsmanager', id: 'a', region: REGION });
  expect(await queue.attributes()).toMatchObject({
    ApproximateNumberOfMessages: '2',
    ApproximateNumberOfMessagesNotVisible: '0',
  });
  expect([first, second, late].flatMap(({ troubles }) => troubles)).toEqual([]);
});

it('ignores messages that it does not know', async () => {
  const queue = await openQueue();
  const listener = listenTo(queue.url);
  for (const body of ['hello', '{}', '{"source":"aws.s3"}', changed('a')]) {
    await queue.send(body);
  }

  await expect.poll(() => listener.names()).toEqual(['a']);
  expect(listener.troubles).toEqual([]);
});

describe('with the role of the provider’s own service account', () => {
  it('uses the same STS as for pods', async () => {
    const { state, queue, settings } = await openGate();
    const listener = listenTo(queue.url, { settings });
    await queue.send(changed('a'));

    await expect.poll(() => listener.names()).toEqual(['a']);
    const [assume, receive] = state.calls;
    expect(assume?.action).toBe('sts:AssumeRoleWithWebIdentity');
    expect(receive).toMatchObject({ region: REGION, role: process.env['AWS_ROLE_ARN'] });
    expect(receive?.action).toContain('ReceiveMessage');
  });
});

it('waits between receives if it has seen all messages', async () => {
  const queue = await openQueue();
  const clock = createHastyClock();
  const repeatMs = 3_600_000;
  const listener = listenTo(queue.url, { clock, repeatMs });
  await queue.send(changed('a'));

  await expect.poll(() => clock.slept.filter((ms) => ms === repeatMs).length).toBeGreaterThan(1);
  expect(listener.names()).toEqual(['a']);
});

it('stops at once, in the middle of a wait for messages', async () => {
  const { state, queue, settings } = await openGate();
  const listener = listenTo(queue.url, { settings });
  await expect.poll(() => state.calls.map(({ action }) => action).join()).toContain('ReceiveMessage');
  const begun = performance.now();
  await listener.stop();

  // The wait would take twice as long.
  expect(performance.now() - begun).toBeLessThan(10_000);
  expect(listener.troubles).toEqual([]);
});

it('reports once that it cannot read the queue, keeps retrying, and reports the recovery', async () => {
  const queue = await openQueue();
  const missing = queue.url.replace('changes-', 'none-');
  const listener = listenTo(missing);

  await expect.poll(() => listener.troubles).toHaveLength(1);
  const client = new SQSClient({ region: REGION, endpoint: inject('motoUrl') });
  await client.send(new CreateQueueCommand({ QueueName: missing.split('/').at(-1)! }));
  await client.send(new SendMessageCommand({ QueueUrl: missing, MessageBody: changed('a') }));
  await expect.poll(() => listener.names()).toEqual(['a']);
  expect(listener.troubles).toMatchObject([{ reason: 'ObjectNotFound' }, 'over']);
});

it('reports that the provider has no credentials of its own', async () => {
  const queue = await openQueue();
  stubKeys({});
  const listener = listenTo(queue.url);

  await expect.poll(() => listener.troubles).toMatchObject([{ reason: 'CredentialsRefused' }]);
});
