import { afterAll, beforeAll, it } from 'vitest';
import type { Statement } from '../fakes/aws/policy.ts';
import { CallError } from '../../src/grpc/client.ts';
import { type AttackedNode, startAttackedNode } from './node/attacked-node.ts';

const GET: Statement = { actions: ['secretsmanager:GetSecretValue'], resources: ['*'] };
const BATCH: Statement = { actions: ['secretsmanager:BatchGetSecretValue'], resources: ['*'] };
/** The remaining permissions of the role: it may still describe the secret. */
const LEFT: Statement = { actions: ['secretsmanager:DescribeSecret'], resources: ['*'] };
const WITHIN = { timeout: 60_000, interval: 250 };

let node: AttackedNode;
beforeAll(async () => {
  node = await startAttackedNode({ args: ['--rotation-poll-interval=3s'] });
  await node.seed.secret('pinned', 'of-this-version');
});
afterAll(() => node[Symbol.asyncDispose]());

async function outcomeOf(call: Promise<unknown>): Promise<string> {
  return await call.then(
    () => 'mounted',
    (error: unknown) => (error instanceof CallError ? error.code : String(error)),
  );
}

it.concurrent.for([
  ['read singly', 'alone', '[{objectName: victim, objectType: secretsmanager}]', [GET]],
  [
    'read by the batch call',
    'batch',
    '[{objectName: victim, objectType: secretsmanager}, {objectName: pinned, objectType: secretsmanager}]',
    [GET, BATCH],
  ],
  ['of a stage', 'stage', '[{objectName: victim, objectType: secretsmanager, objectVersionLabel: AWSCURRENT}]', [GET]],
] as const)(
  'a class that polls once a day does not keep a value %s beyond the operator’s interval',
  async ([, account, objects, rights], { expect }) => {
    const roleArn = node.addAccount('shop', account);
    const allows: Statement[] = [...rights, LEFT];
    node.aws.gate.state.addRole({ arn: roleArn, trusts: [`shop/${account}`], allows });
    const parameters = { objects, rotationPollInterval: '24h' };
    const old = await node.addPod('shop', `${account}-old`, account);
    await node.mount(old, parameters);

    allows.splice(0, Infinity, LEFT);
    const others = await node.addPod('shop', `${account}-new`, account);

    for (const pod of [old, others]) {
      await expect.poll(() => outcomeOf(node.mount(pod, parameters)), WITHIN).toBe('PERMISSION_DENIED');
    }
  },
);

it.concurrent('a pinned version is refused as well', async ({ expect }) => {
  const { version } = await node.seed.secret('for-ever', 'as-it-is');
  const roleArn = node.addAccount('shop', 'for-ever');
  const allows: Statement[] = [GET];
  node.aws.gate.state.addRole({ arn: roleArn, trusts: ['shop/for-ever'], allows });
  const objects = JSON.stringify([{ objectName: 'for-ever', objectType: 'secretsmanager', objectVersion: version }]);
  const pod = await node.addPod('shop', 'for-ever', 'for-ever');
  await node.mount(pod, { objects });
  allows.splice(0, Infinity, LEFT);

  await expect.poll(() => outcomeOf(node.mount(pod, { objects })), WITHIN).toBe('PERMISSION_DENIED');
});
