import { afterAll, beforeAll, test } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { BOTH_WAYS } from '../provider/facts.ts';
import { secretProviderClass } from '../provider/objects.ts';
import { openStory, type Story } from '../provider/story.ts';
import { withContainer } from '../provider/with-container.ts';

/** The kubelet publishes a volume again every 10 to 15 s. */
const PATIENCE = { timeout: 60_000, interval: 500 };

const cluster = await openCluster();
let story: Story;

beforeAll(async () => {
  story = await openStory(cluster, 'containers');
});

afterAll(() => story[Symbol.asyncDispose]());

test.concurrent.for(BOTH_WAYS)(
  'a container with nothing but a read-only view, and no root, reads what modes let it: %s',
  async ([, provider], { expect }) => {
    const name = `strict-${provider}`;
    await story.seed.secret(name, 'p1');
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
    await story.apply(secretProviderClass(name, objects, { provider }));

    await story.startPods(withContainer(story.pod(name, { classes: [name] }), { securityContext }));

    const modes = await story.exec(name, 'sh', '-c', `cd /mnt/${name} && stat -L -c '%n %a %u' open closed`);
    expect(modes).toBe('open 444 0\nclosed 400 0\n');
    expect(await story.exec(name, 'cat', `/mnt/${name}/open`)).toBe('p1');
    await expect(story.exec(name, 'cat', `/mnt/${name}/closed`)).rejects.toThrow('Permission denied');
    await expect(story.exec(name, 'touch', `/mnt/${name}/new`)).rejects.toThrow('Read-only file system');
  },
);

test.concurrent.for(BOTH_WAYS)(
  'a rotation reaches the directory, and no file that is mounted by its subPath: %s',
  async ([, provider], { expect }) => {
    const name = `sub-path-${provider}`;
    await story.seed.secret(name, 'p1');
    const objects = [{ objectName: name, objectType: 'secretsmanager', objectAlias: 'db' }];
    const volumeMounts = [
      { name, mountPath: `/mnt/${name}`, readOnly: true },
      { name, mountPath: '/etc/app/db', subPath: 'db', readOnly: true },
    ];
    await story.apply(secretProviderClass(name, objects, { provider }));
    await story.startPods(withContainer(story.pod(name, { classes: [name] }), { volumeMounts }));
    const before = await story.exec(name, 'cat', `/mnt/${name}/db`, '/etc/app/db');

    await story.seed.secretVersion(name, 'p2');
    await expect.poll(() => story.exec(name, 'cat', `/mnt/${name}/db`), PATIENCE).toBe('p2');
    const after = await story.exec(name, 'cat', '/etc/app/db');

    expect(before).toBe('p1p1');
    expect(after).toBe('p1');
  },
);
