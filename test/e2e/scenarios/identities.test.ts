import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { CHART } from '../../../deploy/helm.ts';
import type { Statement } from '../../fakes/aws/policy.ts';
import { openCluster } from '../cluster/cluster.ts';
import { BOTH_WAYS } from '../provider/facts.ts';
import { secretProviderClass } from '../provider/objects.ts';
import { openScenario, type Scenario } from '../provider/scenario.ts';

const cluster = await openCluster();
let scenario: Scenario;
let teaRole: string;
let teaAllows: Statement[];
let coffeeArn: string;

beforeAll(async () => {
  scenario = await openScenario(cluster, 'identities');
  await scenario.seed.secret('tea', 'of tea');
  ({ arn: coffeeArn } = await scenario.seed.secret('coffee', 'of coffee'));
  teaAllows = [reads('tea')];
  teaRole = await scenario.addServiceAccount('tea', teaAllows);
  await scenario.addServiceAccount('coffee', [reads('coffee')]);
  await scenario.apply(secretProviderClass('tea', [secret('tea')]), secretProviderClass('coffee', [secret('coffee')]));
});

afterAll(() => scenario[Symbol.asyncDispose]());

function secret(objectName: string): object {
  return { objectName, objectType: 'secretsmanager' };
}

function reads(name: string): Statement {
  return {
    actions: ['secretsmanager:GetSecretValue'],
    resources: [`arn:aws:secretsmanager:us-east-1:${scenario.aws.account}:secret:${name}-*`],
  };
}

test('pods of two service accounts of a namespace read what their own role allows', async () => {
  await scenario.startPods(
    scenario.pod('tea', { classes: ['tea'], serviceAccount: 'tea' }),
    scenario.pod('coffee', { classes: ['coffee'], serviceAccount: 'coffee' }),
  );

  expect(await scenario.filesOf('tea', 'tea')).toEqual({ tea: ['644', 'of tea'] });
  expect(await scenario.filesOf('coffee', 'coffee')).toEqual({ coffee: ['644', 'of coffee'] });
});

test("a pod with another's secret does not start, an event names the reason and the remedy, and it starts after that", async () => {
  const account = `${scenario.namespace}-tea`;
  await scenario.apply(scenario.pod('thief', { classes: ['tea', 'coffee'], serviceAccount: 'tea' }));

  const message = await scenario.mountFailure('thief', 'AccessDeniedException');
  const phase = await scenario.kubectl('get', 'pod', 'thief', '--output=jsonpath={.status.phase}');
  teaAllows.push(reads('coffee'));
  await scenario.kubectl('wait', '--for=condition=Ready', 'pod/thief', '--timeout=60s');

  expect(message).toContain(`assumed-role/${account}/${scenario.namespace}.tea`);
  expect(message).toMatch(/request id [\w-]{10,}/);
  expect(message).toContain(teaRole);
  expect(message).toContain(`allow secretsmanager:GetSecretValue on ${coffeeArn.slice(0, -6)}`);
  expect(message).not.toContain('of coffee');
  expect(phase).toBe('Pending');
  expect(await scenario.filesOf('thief', 'coffee')).toEqual({ coffee: ['644', 'of coffee'] });
});

test('a service account without a role, and a role that does not trust it, are distinguished', async () => {
  const annotations = { 'eks.amazonaws.com/role-arn': teaRole };
  await scenario.apply(
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'plain' } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'stranger', annotations } },
    scenario.pod('plain', { classes: ['tea'], serviceAccount: 'plain' }),
    scenario.pod('stranger', { classes: ['tea'], serviceAccount: 'stranger' }),
  );

  const withoutRole = await scenario.mountFailure('plain', 'IAM role must be associated');
  const untrusted = await scenario.mountFailure('stranger', 'AssumeRoleWithWebIdentity');

  expect(withoutRole).toContain('eks.amazonaws.com/role-arn');
  expect(untrusted).toContain(`system:serviceaccount:${scenario.namespace}:stranger`);
});

test.runIf(cluster.owned)(
  'a driver that requests no tokens is reported, on the pod and by the installation',
  async () => {
    await cluster.restartDriver({ tokenAudiences: [] });
    onTestFinished(() => cluster.restartDriver());
    await scenario.apply(scenario.pod('tokenless', { classes: ['tea'], serviceAccount: 'tea' }));

    const message = await scenario.mountFailure('tokenless', 'serviceAccount.tokens not provided');
    const notes = await cluster.helm(['install', 'aws-secrets-csi-notes', CHART, '--dry-run=server']);

    expect(message).toContain('tokenRequests');
    expect(message).toContain('sts.amazonaws.com');
    expect(notes).toContain('the driver does not request tokens for sts.amazonaws.com');
  },
);

test('many pods with several classes start at once, each with its own secrets', async () => {
  const drinks = ['tea', 'coffee'];
  const both = [...BOTH_WAYS].flatMap(([, provider]) =>
    drinks.map((drink) => ({ drink, name: `${drink}-${provider}`, provider })),
  );
  await scenario.apply(
    ...both.map(({ drink, name, provider }) =>
      secretProviderClass(name, [{ ...secret(drink), objectAlias: name }], { provider }),
    ),
  );
  const classes = both.map(({ name }) => name);
  const names = Array.from({ length: 8 }, (_, index) => `crowd-${index}`);

  await scenario.startPods(...names.map((name) => scenario.pod(name, { classes })));

  const read = await Promise.all(
    names.flatMap((name) => both.map(async ({ name: className }) => scenario.filesOf(name, className))),
  );
  const expected = both.map(({ name, drink }) => ({ [name]: ['644', `of ${drink}`] }));
  expect(read).toEqual(names.flatMap(() => expected));
});

test('a pod cannot use a class of another namespace', async () => {
  const name = `elsewhere-${scenario.namespace}`;
  const object = secretProviderClass(name, [secret('tea')]);
  await cluster.apply([{ ...object, metadata: { name, namespace: 'default' } }]);
  onTestFinished(async () => {
    await cluster.kubectl(['delete', 'secretproviderclass', name, '--namespace=default']);
  });
  await scenario.apply(scenario.pod('lost', { classes: [name], serviceAccount: 'tea' }));

  const message = await scenario.mountFailure('lost', name);

  expect(message).toContain(`"${name}" not found`);
});
