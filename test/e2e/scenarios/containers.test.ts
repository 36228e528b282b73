import { afterAll, beforeAll, test } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { BOTH_WAYS } from '../provider/facts.ts';
import { secretProviderClass } from '../provider/objects.ts';
import { openScenario, type Scenario } from '../provider/scenario.ts';
import { withContainer } from '../provider/with-container.ts';

/** The kubelet publishes a volume again every 10 to 15 s. */
const PATIENCE = { timeout: 60_000, interval: 500 };

const cluster = await openCluster();
let scenario: Scenario;

beforeAll(async () => {
  scenario = await openScenario(cluster, 'containers');
});

afterAll(() => scenario[Symbol.asyncDispose]());

test.concurrent.for(BOTH_WAYS)(
  'a container with a read-only root and without root reads what the modes allow: %s',
  async ([, provider], { expect }) => {
    const name = `strict-${provider}`;
    await scenario.seed.secret(name, 'p1');
    const object = { objectName: name, objectType: 'secretsmanager' };
    const objects = [
      { ...object, objectAlias: 'open', filePermission: '0444' },
      { ...object, objectAlias: 'closed', filePermission: '0400' },
    ];
    const securityContext = {
      runAsUser: 1000,
      runAsNonRoot: true,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    };
    await scenario.apply(secretProviderClass(name, objects, { provider }));

    await scenario.startPods(withContainer(scenario.pod(name, { classes: [name] }), { securityContext }));

    const modes = await scenario.exec(name, 'sh', '-c', `cd /mnt/${name} && stat -L -c '%n %a %u' open closed`);
    expect(modes).toBe('open 444 0\nclosed 400 0\n');
    expect(await scenario.exec(name, 'cat', `/mnt/${name}/open`)).toBe('p1');
    await expect(scenario.exec(name, 'cat', `/mnt/${name}/closed`)).rejects.toThrow('Permission denied');
    await expect(scenario.exec(name, 'touch', `/mnt/${name}/new`)).rejects.toThrow('Read-only file system');
  },
);

test.concurrent.for(BOTH_WAYS)(
  'a rotation reaches the directory, but no file that is mounted by subPath: %s',
  async ([, provider], { expect }) => {
    const name = `sub-path-${provider}`;
    await scenario.seed.secret(name, 'p1');
    const objects = [{ objectName: name, objectType: 'secretsmanager', objectAlias: 'db' }];
    const volumeMounts = [
      { name, mountPath: `/mnt/${name}`, readOnly: true },
      { name, mountPath: '/etc/app/db', subPath: 'db', readOnly: true },
    ];
    await scenario.apply(secretProviderClass(name, objects, { provider }));
    await scenario.startPods(withContainer(scenario.pod(name, { classes: [name] }), { volumeMounts }));
    const before = await scenario.exec(name, 'cat', `/mnt/${name}/db`, '/etc/app/db');

    await scenario.seed.secretVersion(name, 'p2');
    await expect.poll(() => scenario.exec(name, 'cat', `/mnt/${name}/db`), PATIENCE).toBe('p2');
    const after = await scenario.exec(name, 'cat', '/etc/app/db');

    expect(before).toBe('p1p1');
    expect(after).toBe('p1');
  },
);
