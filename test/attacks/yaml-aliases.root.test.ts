import { expect, it } from 'vitest';
import { ALIAS_CLASSES } from './node/alias-classes.ts';
import { failureOf, startAttackedNode } from './node/attacked-node.ts';

it('survives classes whose aliases expand to much, twenty at once in 200 MiB', async () => {
  await using node = await startAttackedNode({ memoryMiB: 200 });
  const classes = Object.values(ALIAS_CLASSES);
  const pods = await Promise.all(Array.from({ length: 20 }, (_, index) => node.addPod('shop', `web-${index}`, 'web')));

  await Promise.all(
    pods.map((pod, index) => failureOf(node.mount(pod, { objects: classes[index % classes.length] ?? '' }))),
  );

  expect(node.provider.ended()).toBeUndefined();
  expect(await node.victimMount()).toBeLessThan(10_000);
});
