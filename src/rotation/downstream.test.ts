import { expect, it } from 'vitest';
import { mountOf } from '../../test/fakes/kube/mounts.ts';
import { createVirtualClock } from '../../test/fakes/virtual-clock.ts';
import { ProviderError } from '../model/errors.ts';
import { updateDownstream } from './downstream.ts';
import { createNodeMounts } from './node-mounts.ts';

it('returns that a workload has newer values although a Secret is refused, because the pod must start with them', async () => {
  const clock = createVirtualClock();
  const { targetPath, volume, nodePod, class: providerClass, versions } = mountOf({ pod: 'web-1' });
  const found = { targetPath, volume, nodePod, pod: nodePod.ref, className: providerClass.name };
  const mount = createNodeMounts(clock, '/var/lib/kubelet').learn(found);
  const refused = new ProviderError('SecretRefused', 'created by hand');
  const downstream = [
    { update: () => Promise.reject(refused) },
    { update: () => Promise.resolve({ newerConfirmedAt: 7 }) },
  ];

  const outcome = await updateDownstream(
    { mount, present: { class: providerClass }, served: { versions, confirmedAt: 0, files: [] } },
    { clock, downstream },
    new AbortController().signal,
  );

  expect(outcome).toEqual({ newerConfirmedAt: 7, error: refused });
  expect(mount.downstreamVersions).toBeUndefined();
});
