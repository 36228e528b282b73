import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AttackedNode, failureOf, startAttackedNode } from './node/attacked-node.ts';
import { LONGEST_WORK_MS } from './node/attacked-process.ts';
import { healthPortOf, livez } from './node/health-port.ts';

let node: AttackedNode;
beforeAll(async () => {
  node = await startAttackedNode();
  await node.seed.secret('list', JSON.stringify(Array.from({ length: 16_000 }, (_, index) => index % 10)));
});
afterAll(() => node[Symbol.asyncDispose]());

/** Each is near the limit of one search. */
const COSTLY: Readonly<Record<string, (index: number) => string>> = {
  'one expression again and again': () => "to_string(sort(@)) || 'x'",
  'another one each time': (index) => `to_string(sort(@)[${index}:]) || 'x'`,
  'filters of what filters leave': (index) => `to_string(length([?@>\`1\`]|[?@<\`${index}\`]))`,
};

function classOf(entries: number, expression: (index: number) => string): string {
  const list = Array.from({ length: entries }, (_, index) => `{path: "${expression(index)}",objectAlias: f${index}}`);
  return `[{objectName: list, objectType: secretsmanager, jmesPath: [${list.join(',')}]}]`;
}

it.for(Object.entries(COSTLY))('costly expressions do not delay other mounts: %s', async ([name, expression]) => {
  const pod = await node.addPod('shop', `web-${name.replaceAll(' ', '-')}`, 'web');
  await node.victimMount();
  await node.provider.condition();

  const started = performance.now();
  const attack = failureOf(node.mount(pod, { objects: classOf(1500, expression) }));
  const victims = [await node.victimMount(), await node.victimMount()];
  const failure = await attack;
  const took = performance.now() - started;
  const { workMs } = await node.provider.condition();

  expect(failure.message).toContain('too much work');
  expect(workMs).toBeLessThan(LONGEST_WORK_MS);
  expect(Math.max(...victims)).toBeLessThan(10_000);
  expect(took).toBeLessThan(60_000);
});

/** Somewhat more entries than the budget of a mount allows. */
const LEGAL = [
  { work: 'sorts', expression: 'to_string(sort(@)[0])', most: 38, tooMany: 45 },
  { work: 'filters', expression: 'to_string(length([?@ > `1`]))', most: 72, tooMany: 85 },
];

/** @returns how often /livez answers before the call does */
async function livezUntil(call: Promise<unknown>, port: number): Promise<number> {
  const ended = call.then(
    () => undefined,
    () => undefined,
  );
  for (let answers = 0; ; answers += 1) {
    if ((await Promise.race([ended, livez(port)])) !== 200) {
      return answers;
    }
  }
}

it.for(LEGAL)('/livez answers while all the $work that a class may have are evaluated', async (legal) => {
  const port = healthPortOf(node);
  const pod = await node.addPod('shop', `web-${legal.work}`, 'web');
  // From then on the value is cached, and no call to AWS is made.
  await node.mount(pod, { objects: '[{objectName: list, objectType: secretsmanager}]' });
  const mounting = node.mount(pod, { objects: classOf(legal.most, () => legal.expression) });
  const answers = await livezUntil(mounting, port);
  const { objectVersion } = await mounting;
  const refusal = await failureOf(node.mount(pod, { objects: classOf(legal.tooMany, () => legal.expression) }));

  expect(answers).toBeGreaterThan(20);
  expect(objectVersion).toHaveLength(legal.most + 1);
  expect(refusal.message).toContain('too much work');
});

it('more entries than a class may have are refused before any is parsed', async () => {
  const pod = await node.addPod('shop', 'web-many', 'web');

  const failure = await failureOf(node.mount(pod, { objects: classOf(3500, () => 'a') }));

  expect(failure.message).toContain('more than 2000 entries');
});
