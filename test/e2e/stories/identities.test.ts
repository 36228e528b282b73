import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { CHART } from '../../../deploy/helm.ts';
import type { Statement } from '../../fakes/aws/policy.ts';
import { openCluster } from '../cluster/cluster.ts';
import { BOTH_WAYS } from '../provider/facts.ts';
import { secretProviderClass } from '../provider/objects.ts';
import { openStory, type Story } from '../provider/story.ts';

const cluster = await openCluster();
let story: Story;
let teaRole: string;
let teaAllows: Statement[];
let coffeeArn: string;

beforeAll(async () => {
  story = await openStory(cluster, 'identities');
  await story.seed.secret('tea', 'of tea');
  ({ arn: coffeeArn } = await story.seed.secret('coffee', 'of coffee'));
  teaAllows = [reads('tea')];
  teaRole = await story.addServiceAccount('tea', teaAllows);
  await story.addServiceAccount('coffee', [reads('coffee')]);
  await story.apply(secretProviderClass('tea', [secret('tea')]), secretProviderClass('coffee', [secret('coffee')]));
});

afterAll(() => story[Symbol.asyncDispose]());

function secret(objectName: string): object {
  return { objectName, objectType: 'secretsmanager' };
}

function reads(name: string): Statement {
  return {
    actions: ['secretsmanager:GetSecretValue'],
    resources: [`arn:aws:secretsmanager:us-east-1:${story.aws.account}:secret:${name}-*`],
  };
}

test('pods of two service accounts of a namespace read what their own role allows', async () => {
  await story.startPods(
    story.pod('tea', { classes: ['tea'], serviceAccount: 'tea' }),
    story.pod('coffee', { classes: ['coffee'], serviceAccount: 'coffee' }),
  );

  expect(await story.filesOf('tea', 'tea')).toEqual({ tea: ['644', 'of tea'] });
  expect(await story.filesOf('coffee', 'coffee')).toEqual({ coffee: ['644', 'of coffee'] });
});

test("a pod that asks for another's secret does not start, is told why and what to do, and starts when that is done", async () => {
  const account = `${story.namespace}-tea`;
  await story.apply(story.pod('thief', { classes: ['tea', 'coffee'], serviceAccount: 'tea' }));

  const message = await story.mountFailure('thief', 'AccessDeniedException');
  const phase = await story.kubectl('get', 'pod', 'thief', '--output=jsonpath={.status.phase}');
  teaAllows.push(reads('coffee'));
  await story.kubectl('wait', '--for=condition=Ready', 'pod/thief', '--timeout=60s');

  expect(message).toContain(`assumed-role/${account}/${story.namespace}.tea`);
  expect(message).toMatch(/request id [\w-]{10,}/);
  expect(message).toContain(teaRole);
  expect(message).toContain(`allow secretsmanager:GetSecretValue on ${coffeeArn.slice(0, -6)}`);
  expect(message).not.toContain('of coffee');
  expect(phase).toBe('Pending');
  expect(await story.filesOf('thief', 'coffee')).toEqual({ coffee: ['644', 'of coffee'] });
});

test('a service account without a role, and a role that does not trust it, are told apart', async () => {
  const annotations = { 'eks.amazonaws.com/role-arn': teaRole };
  await story.apply(
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'plain' } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'stranger', annotations } },
    story.pod('plain', { classes: ['tea'], serviceAccount: 'plain' }),
    story.pod('stranger', { classes: ['tea'], serviceAccount: 'stranger' }),
  );

  const withoutRole = await story.mountFailure('plain', 'IAM role must be associated');
  const untrusted = await story.mountFailure('stranger', 'AssumeRoleWithWebIdentity');

  expect(withoutRole).toContain('eks.amazonaws.com/role-arn');
  expect(untrusted).toContain(`system:serviceaccount:${story.namespace}:stranger`);
});

test.runIf(cluster.owned)(
  'a driver that asks for no tokens is told to, in the pod and by the installation',
  async () => {
    await cluster.restartDriver({ tokenAudiences: [] });
    onTestFinished(() => cluster.restartDriver());
    await story.apply(story.pod('tokenless', { classes: ['tea'], serviceAccount: 'tea' }));

    const message = await story.mountFailure('tokenless', 'serviceAccount.tokens not provided');
    const notes = await cluster.helm(['install', 'aws-secrets-csi-notes', CHART, '--dry-run=server']);

    expect(message).toContain('tokenRequests');
    expect(message).toContain('sts.amazonaws.com');
    expect(notes).toContain('the driver does not ask for tokens for sts.amazonaws.com');
  },
);

test('many pods with several classes start at once, each with its own', async () => {
  const drinks = ['tea', 'coffee'];
  const both = [...BOTH_WAYS].flatMap(([, provider]) =>
    drinks.map((drink) => ({ drink, name: `${drink}-${provider}`, provider })),
  );
  await story.apply(
    ...both.map(({ drink, name, provider }) =>
      secretProviderClass(name, [{ ...secret(drink), objectAlias: name }], { provider }),
    ),
  );
  const classes = both.map(({ name }) => name);
  const names = Array.from({ length: 8 }, (_, index) => `crowd-${index}`);

  await story.startPods(...names.map((name) => story.pod(name, { classes })));

  const read = await Promise.all(
    names.flatMap((name) => both.map(async ({ name: className }) => story.filesOf(name, className))),
  );
  const expected = both.map(({ name, drink }) => ({ [name]: ['644', `of ${drink}`] }));
  expect(read).toEqual(names.flatMap(() => expected));
});

test('a class of another namespace is none of the pod', async () => {
  const name = `elsewhere-${story.namespace}`;
  const object = secretProviderClass(name, [secret('tea')]);
  await cluster.apply([{ ...object, metadata: { name, namespace: 'default' } }]);
  onTestFinished(async () => {
    await cluster.kubectl(['delete', 'secretproviderclass', name, '--namespace=default']);
  });
  await story.apply(story.pod('lost', { classes: [name], serviceAccount: 'tea' }));

  const message = await story.mountFailure('lost', name);

  expect(message).toContain(`"${name}" not found`);
});
