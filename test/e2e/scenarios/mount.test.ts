import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OUTAGE } from '../../fakes/aws/faults.ts';
import { openCluster } from '../cluster/cluster.ts';
import { LOGS } from '../cluster/layout.ts';
import { BOTH_WAYS } from '../provider/facts.ts';
import { secretProviderClass } from '../provider/objects.ts';
import { openScenario, type Scenario } from '../provider/scenario.ts';

const LOGIN = '{"Name":"app","password":"p1 <&>","port":5432}';
const KEY = '-----BEGIN KEY-----\nbGluZSAx\nbGluZSAy\n-----END KEY-----\n';
const BINARY = Uint8Array.of(0, 255, 10, 128);

const cluster = await openCluster();
let scenario: Scenario;
let tokenArn: string;

beforeAll(async () => {
  scenario = await openScenario(cluster, 'mount');
  const { seed } = scenario;
  await seed.secret('db', LOGIN);
  await seed.secret('team/key', KEY);
  await seed.secret('binary', BINARY);
  await seed.secret('versioned', 'v1');
  await seed.secretVersion('versioned', 'v2');
  ({ arn: tokenArn } = await seed.secret('token', 't0k3n'));
  await seed.parameter('/app/url', 'https://example.com', 'blue');
  await seed.parameter('/app/url', 'https://example.org');
  await seed.parameter('plain', 'äöü €');
});

afterAll(() => scenario[Symbol.asyncDispose]());

/** As users write it: field names in any case, an unquoted number, an anchor. */
function everything(): string {
  const parameterArn = `arn:aws:ssm:us-east-1:${scenario.aws.account}:parameter/app/url`;
  return `
- objectName: db
  objectType: secretsmanager
  jmesPath:
    - Path: password
      ObjectAlias: db-password
      filePermission: "0400"
    - path: to_string(port)
      objectAlias: db-port
    - path: '"Name"'
      objectAlias: db-name
- objectName: team/key
  objectType: &secret secretsmanager
  filePermission: "0440"
- { objectName: binary, objectType: *secret }
- { objectName: versioned, objectType: *secret, objectVersionLabel: AWSPREVIOUS }
- { objectName: "${tokenArn}", objectAlias: token.txt }
- { objectName: /app/url, objectType: ssmparameter }
- { objectName: /app/url, objectType: ssmparameter, objectVersion: 1, objectAlias: url/first }
- { objectName: /app/url, objectType: ssmparameter, objectVersionLabel: blue, objectAlias: url-blue }
- { objectName: "${parameterArn}", objectAlias: url-by-arn }
- { objectName: plain, objectType: ssmparameter, filePermission: "0600" }
`;
}

const FILES = {
  db: ['644', LOGIN],
  'db-password': ['400', 'p1 <&>'],
  'db-port': ['644', '5432'],
  'db-name': ['644', 'app'],
  binary: ['644', Buffer.from(BINARY).toString('base64')],
  versioned: ['644', 'v1'],
  'token.txt': ['644', 't0k3n'],
  'url-blue': ['644', 'https://example.com'],
  'url-by-arn': ['644', 'https://example.org'],
  plain: ['600', 'äöü €'],
};

test.for(BOTH_WAYS)(
  'a pod reads secrets and parameters under the names and modes of its class: %s',
  async ([, provider]) => {
    const name = `flat-${provider}`;
    await scenario.apply(secretProviderClass(name, everything(), { provider }));

    await scenario.startPods(scenario.pod(name, { classes: [name] }));

    expect(await scenario.filesOf(name, name)).toEqual({
      ...FILES,
      team_key: ['440', KEY],
      _app_url: ['644', 'https://example.org'],
      url_first: ['644', 'https://example.com'],
    });
    const links = await scenario.exec(
      name,
      'sh',
      '-c',
      `cd /mnt/${name} && for link in db _app_url ..data; do readlink $link; done`,
    );
    expect(links).toMatch(/^\.\.data\/db\n\.\.data\/_app_url\n\.\.\d{4}_/);
  },
);

test.for(BOTH_WAYS)('slashes create directories if they are not translated: %s', async ([, provider]) => {
  const name = `nested-${provider}`;
  await scenario.apply(secretProviderClass(name, everything(), { provider, parameters: { pathTranslation: 'False' } }));

  await scenario.startPods(scenario.pod(name, { classes: [name] }));

  expect(await scenario.filesOf(name, name)).toEqual({
    ...FILES,
    'team/key': ['440', KEY],
    'app/url': ['644', 'https://example.org'],
    'url/first': ['644', 'https://example.com'],
  });
});

test.for(BOTH_WAYS)('a pod starts with an empty volume if its class names no object: %s', async ([, provider]) => {
  const name = `empty-${provider}`;
  await scenario.apply(secretProviderClass(name, [], { provider }));

  await scenario.startPods(scenario.pod(name, { classes: [name] }));

  expect(await scenario.filesOf(name, name)).toEqual({});
});

test('a class of the old API version mounts too', async () => {
  const objects = [{ objectName: 'plain', objectType: 'ssmparameter' }];
  const old = secretProviderClass('old', objects, { parameters: { region: 'us-east-1' } });
  await scenario.apply({ ...old, apiVersion: 'secrets-store.csi.x-k8s.io/v1alpha1' });

  await scenario.startPods(scenario.pod('old', { classes: ['old'] }));

  expect(await scenario.filesOf('old', 'old')).toEqual({ plain: ['644', 'äöü €'] });
});

test('a second region replaces a failing one, and is used for nothing else', async () => {
  const region = { region: 'us-east-1', failoverRegion: 'us-west-2' };
  const { arn } = await scenario.seed.secret('pair', 'of us-east-1');
  const second = await (await scenario.aws.seed('us-west-2')).secret('pair-replica', 'of us-west-2');
  const object = { objectName: arn, objectAlias: 'pair', failoverObject: { objectName: second.arn } };
  await scenario.addServiceAccount('other');
  await scenario.apply(secretProviderClass('pair', [object], { parameters: region }));

  await scenario.startPods(scenario.pod('healthy', { classes: ['pair'] }));
  const asked = scenario.aws.gate.state.count({ region: 'us-west-2' });
  using _ = scenario.aws.gate.state.inject(OUTAGE, { region: 'us-east-1', service: 'secretsmanager' });
  await scenario.startPods(scenario.pod('broken', { classes: ['pair'], serviceAccount: 'other' }));

  expect(await scenario.filesOf('healthy', 'pair')).toEqual({ pair: ['644', 'of us-east-1'] });
  expect(asked).toBe(0);
  expect(await scenario.filesOf('broken', 'pair')).toEqual({ pair: ['644', 'of us-west-2'] });
});

test.runIf(cluster.owned)('a deleted pod leaves no volume behind', async () => {
  const [[, provider]] = BOTH_WAYS;
  const uid = await scenario.kubectl('get', 'pod', `flat-${provider}`, '--output=jsonpath={.metadata.uid}');
  const before = await volumesOnNode();
  await scenario.kubectl('delete', 'pod', `flat-${provider}`);

  await expect.poll(volumesOnNode, { timeout: 60_000, interval: 500 }).not.toContain(uid);

  expect(before).toContain(uid);
  const driverSays = await readFile(path.join(LOGS, 'secrets-store-csi-driver.log'), 'utf8');
  expect(driverSays).toContain(`"node unpublish volume complete" targetPath="/var/lib/kubelet/pods/${uid}/`);
});

async function volumesOnNode(): Promise<readonly string[]> {
  return (await cluster.runInNode(['ls', '/var/lib/kubelet/pods'])).split('\n');
}
