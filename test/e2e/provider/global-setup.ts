import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { makeCertificates } from '../../fakes/aws/certificates.ts';
import { startMoto } from '../../fakes/aws/moto.ts';
import { type Cluster, openCluster } from '../cluster/cluster.ts';
import { makeProviderImage } from '../cluster/images.ts';
import { CHECKOUT } from '../cluster/layout.ts';
import { progress } from '../cluster/progress.ts';
import { DRIVER_WRITES, ALL_FEATURES_VALUES, ALL_FEATURES, PROVIDER_WRITES, type ProviderFacts } from './facts.ts';
import { applyAuthority, installRelease } from './release.ts';
import { STORY_LABEL } from './scenario.ts';

const IMAGE = 'e2e.local/aws-secrets-csi:e2e';

/** Installs the provider once for all scenarios, in both ways of writing and once with all features, and starts the moto for their AWS. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await using opening = new AsyncDisposableStack();
  const cluster = await openCluster();
  const [moto, certificates, issuer, image] = await Promise.all([
    startMoto().then((started) => opening.use(started)),
    makeCertificates([`IP:${cluster.hostAddress}`]),
    issuerOf(cluster),
    bringImage(cluster),
  ]);
  const facts: ProviderFacts = { motoUrl: moto.url, issuer, certificates, image };
  // Our own cluster goes as a whole; a given one is left as it was.
  const leaving = cluster.owned ? new AsyncDisposableStack() : opening;
  leaving.use(await applyAuthority(cluster, facts));
  const driverWrites = { socketName: DRIVER_WRITES, driverWritesSecrets: true };
  const allFeatures = { socketName: ALL_FEATURES, ...ALL_FEATURES_VALUES };
  await Promise.all(
    [
      installRelease(cluster, facts, 'aws-secrets-csi'),
      installRelease(cluster, facts, 'aws-secrets-csi-driver-writes', driverWrites),
      installRelease(cluster, facts, 'aws-secrets-csi-all-features', allFeatures),
    ].map(async (release) => leaving.use(await release)),
  );
  leaving.defer(() => scenariosAreGone(cluster));
  project.provide('provider', facts);
  progress(`the provider runs as "${PROVIDER_WRITES}", "${DRIVER_WRITES}" and "${ALL_FEATURES}"`);
  const opened = opening.move();
  return () => opened.disposeAsync();
}

async function bringImage(cluster: Cluster): Promise<string> {
  if (cluster.owned) {
    await cluster.importImage(await makeProviderImage(path.join(CHECKOUT, 'dist'), IMAGE));
    return IMAGE;
  }
  const given = process.env['E2E_PROVIDER_IMAGE'];
  if (given === undefined) {
    throw new Error(
      'Set E2E_PROVIDER_IMAGE to the name, with its tag, of an image of the provider that the cluster can pull',
    );
  }
  return given;
}

async function issuerOf(cluster: Cluster): Promise<string> {
  const discovery: { issuer: string } = JSON.parse(
    await cluster.kubectl(['get', '--raw', '/.well-known/openid-configuration']),
  );
  return discovery.issuer;
}

/** Each scenario has its namespace removed and does not wait for that. */
async function scenariosAreGone(cluster: Cluster): Promise<void> {
  await cluster.kubectl(['wait', 'namespace', `--selector=${STORY_LABEL}`, '--for=delete', '--timeout=120s']);
}
