import { symlink } from 'node:fs/promises';
import { connect as connectSocket, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { attributesOf } from '../node/attacked-node.ts';
import { healthPortOf } from '../node/health-port.ts';
import { BIG_OBJECTS, outcomeOf, putClass, rawMount, type Stage, withPod } from './stage.ts';

/** One attack, with a random variant. @returns an outcome for each of its calls */
export type AttackKind = (stage: Stage) => Outcomes;

type Outcomes = Promise<readonly string[]>;

function times<Item>(count: number, make: (index: number) => Item): Item[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function entry(name: string, more = ''): string {
  return `- { objectName: ${JSON.stringify(name)}, objectType: secretsmanager${more} }`;
}

async function mountOnce(stage: Stage, parameters: Readonly<Record<string, string>>): Promise<readonly string[]> {
  return await withPod(stage, async (pod) => [await outcomeOf(stage.node.mount(pod, parameters))]);
}

/** Text that expands: one long string with many aliases, or lists of lists. */
async function aliases(stage: Stage): Outcomes {
  const { random } = stage;
  const length = random.int(100, 100_000);
  const count = random.int(10, 8_000);
  const lists = times(
    random.int(3, 12),
    (level) => `l${level}: &l${level} [${times(9, () => (level === 0 ? 'x' : `*l${level - 1}`)).join(', ')}]`,
  );
  const objects = random.pick([
    `- &long ${'x'.repeat(length)}\n${times(count, () => '- *long').join('\n')}`,
    `- { objectName: &n ${'x'.repeat(length)}, objectType: secretsmanager }\n${times(count, () => '- { objectName: *n, objectType: secretsmanager }').join('\n')}`,
    lists.join('\n'),
  ]);
  return await mountOnce(stage, { objects });
}

async function manyObjects(stage: Stage): Outcomes {
  const { random } = stage;
  const folder = times(random.int(0, 30), () => 'd').join('/');
  const objects = times(random.int(50, 8_000), (index) =>
    entry('tiny', `, objectAlias: "${folder === '' ? '' : `${folder}/`}f${index}"`),
  );
  return await mountOnce(stage, { objects: objects.join('\n'), pathTranslation: 'False' });
}

async function jmesPaths(stage: Stage): Outcomes {
  const { random } = stage;
  const expressions = [
    'list[*][1].b[]',
    'list[?[1].a > `10`]',
    'sort_by(list, &[1].a)[*][0]',
    `join('', list[*][0])`,
    'values(@)[*].b[*]',
    '@.*.*.*',
    'list[*].list[*]',
    `list${'[*]'.repeat(random.int(1, 400))}`,
  ];
  const one = random.int(0, 1) === 0 ? random.pick(expressions) : undefined;
  const paths = times(
    random.int(1, 3_500),
    (index) => `{ path: ${JSON.stringify(one ?? random.pick(expressions))}, objectAlias: "j${index}" }`,
  );
  return await mountOnce(stage, { objects: entry('json', `, jmesPath: [${paths.join(', ')}]`) });
}

async function longTexts(stage: Stage): Outcomes {
  const { random } = stage;
  const text = random.pick(['x', 'é', '%', '\n', '"', '\u{1f600}']).repeat(random.int(1_000, 50_000));
  const wrong = times(random.int(1, 3_000), (index) => entry(`no${index}`, ', objectVersion: [1], nonsense: 1'));
  const parameters = random.pick([
    { objects: entry(text) },
    { objects: entry('tiny', `, objectAlias: ${JSON.stringify(text)}`) },
    { objects: wrong.join('\n') },
    { objects: entry('tiny'), region: text },
    { objects: entry('tiny'), failoverRegion: text },
    { objects: text },
  ]);
  return await mountOnce(stage, parameters);
}

async function secretObjects(stage: Stage): Outcomes {
  const { node, random } = stage;
  const className = `class-${random.int(0, 2 ** 31)}`;
  const keys = random.int(1, 16);
  const secrets = times(random.int(10, 1_500), (index) => ({
    secretName: `${className}-${index}`,
    type: 'Opaque',
    data: times(keys, (key) => ({ key: `k${key}`, objectName: 'big-0' })),
  }));
  return await withPod(
    stage,
    async (pod) => {
      const parameters = { objects: entry('big-0') };
      putClass(node, pod.namespace, className, parameters, secrets);
      const outcome = await outcomeOf(node.mount(pod, { ...parameters, secretProviderClass: className }));
      node.api.remove(
        `/apis/secrets-store.csi.x-k8s.io/v1/namespaces/${pod.namespace}/secretproviderclasses/${className}`,
      );
      for (const { secretName } of secrets) {
        node.api.remove(`/api/v1/namespaces/${pod.namespace}/secrets/${secretName}`);
      }
      return [outcome];
    },
    className,
  );
}

async function halfOpenRequests({ node, random }: Stage): Outcomes {
  const port = healthPortOf(node);
  const start = random.pick([
    '',
    'GET',
    'GET /livez HTTP/1.1\r\nX: ',
    `GET /livez HTTP/1.1\r\nX: ${'x'.repeat(8_000)}`,
  ]);
  let refused = 0;
  const sockets = times(random.int(50, 800), (): Socket => {
    const socket = connectSocket(port, '127.0.0.1', () => socket.write(start));
    socket.on('error', () => undefined);
    socket.on('close', () => (refused += 1));
    return socket;
  });
  await delay(random.int(100, 1_500));
  const outcomes = [...times(refused, () => 'closed'), ...times(sockets.length - refused, () => 'open')];
  sockets.forEach((socket) => socket.destroy());
  return outcomes;
}

async function bigVolumes(stage: Stage): Outcomes {
  const { random } = stage;
  const count = random.int(1, BIG_OBJECTS + 20);
  const objects = times(count, (index) => entry(`big-${index % BIG_OBJECTS}`, `, objectAlias: b${index}`)).join('\n');
  const mounts = await Promise.all(times(random.int(1, 4), () => mountOnce(stage, { objects })));
  return mounts.flat();
}

/** One identity that makes as many AWS calls as it can. */
async function greedyIdentity(stage: Stage): Outcomes {
  const { random } = stage;
  const type = random.pick(['secretsmanager', 'ssmparameter']);
  const objects = times(
    random.int(50, 500),
    () => `- { objectName: no-${random.int(0, 2 ** 31)}, objectType: ${type} }`,
  ).join('\n');
  return await mountOnce(stage, { objects });
}

async function forgedTargets(stage: Stage): Outcomes {
  const { node, random } = stage;
  return await withPod(stage, (pod) =>
    withPod(stage, async (other) => {
      const link = join(dirname(pod.targetPath), 'link');
      await symlink(other.targetPath, link);
      const target = random.pick([
        link,
        other.targetPath,
        join(node.folder, 'elsewhere'),
        `${pod.targetPath}/../../../../../${other.uid}/volumes/kubernetes.io~csi/secrets/mount`,
        `${pod.targetPath}\0`,
        '/'.repeat(random.int(1, 10_000)),
        '',
      ]);
      const outcome = await rawMount(stage, attributesOf(pod, { objects: entry('tiny') }), target);
      return [outcome === 'OK' ? 'OK (forged)' : outcome];
    }),
  );
}

async function cancelledCalls(stage: Stage): Outcomes {
  const { random } = stage;
  return await withPod(stage, async (pod) => {
    const objects = times(random.int(1, 100), (index) => entry('tiny', `, objectAlias: c${index}`)).join('\n');
    const attributes = attributesOf(pod, { objects });
    const calls = times(random.int(5, 30), () =>
      rawMount(stage, attributes, pod.targetPath, AbortSignal.timeout(random.int(1, 300))),
    );
    return await Promise.all(calls);
  });
}

async function malformedAttributes(stage: Stage): Outcomes {
  const { random } = stage;
  return await withPod(stage, async (pod) => {
    // The longest object that the API server accepts.
    const size = random.int(1_000, 1_500_000);
    const good = attributesOf(pod, { objects: entry('tiny') });
    const attributes = random.pick([
      '',
      'null',
      '[]',
      `{"a":"${'x'.repeat(size)}"}`,
      '['.repeat(Math.min(size, 200_000)),
      `{"objects":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`,
      good.slice(0, random.int(1, good.length - 1)),
      attributesOf(pod, Object.fromEntries(times(size / 50, (index) => [`attribute-${index}`, 'x'.repeat(20)]))),
      attributesOf(pod, { objects: `${' '.repeat(size)}${entry('tiny')}` }),
      attributesOf(pod, { objects: '['.repeat(Math.min(size, 100_000)) }),
    ]);
    return [await rawMount(stage, attributes, pod.targetPath)];
  });
}

export const KINDS: Readonly<Record<string, AttackKind>> = {
  'alias YAML': aliases,
  'many objects': manyObjects,
  'jmesPath work': jmesPaths,
  'long names and problems': longTexts,
  'many secretObjects': secretObjects,
  'half-open health requests': halfOpenRequests,
  'big volumes': bigVolumes,
  'greedy identity': greedyIdentity,
  'forged targets': forgedTargets,
  'cancelled calls': cancelledCalls,
  'malformed attributes': malformedAttributes,
};
