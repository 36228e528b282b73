import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { renderManifest } from '../../deploy/manifest.ts';
import { VERSION } from '../../src/model/version.ts';
import { configOf, HAS_HELM, HELM, parseManifests, podOf, readChartFile } from './chart.ts';

const text = readFileSync(join(import.meta.dirname, '..', '..', 'deploy', 'aws-secrets-csi.yaml'), 'utf8');

describe('the manifest for clusters without Helm', () => {
  it("has everything in kube-system, which exists, and nothing of Helm's", () => {
    const manifests = parseManifests(text);

    expect(manifests.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? '(cluster)'}`)).toEqual([
      'ServiceAccount kube-system',
      'ClusterRole (cluster)',
      'ClusterRoleBinding (cluster)',
      'Role kube-system',
      'RoleBinding kube-system',
      'DaemonSet kube-system',
    ]);
    expect(text).not.toMatch(/helm\.sh|managed-by/);
  });

  it('starts the daemon with settings that it reads', () => {
    const config = configOf(podOf(parseManifests(text)));

    expect(config).toMatchObject({
      socketPath: '/var/run/secrets-store-csi-providers/aws.sock',
      healthAddress: { host: '10.0.0.1', port: 8989 },
      kube: { nodeName: 'node-1' },
    });
  });

  it.skipIf(!HAS_HELM)('is the chart rendered with its defaults: otherwise run "node deploy/write-manifest.ts"', () => {
    // Not by text, as Helm's versions indent differently.
    expect(parseManifests(text)).toEqual(parseManifests(renderManifest(HELM)));
  });
});

describe('the version', () => {
  it('is one for the package, the chart and the image', () => {
    const chart: unknown = parse(readChartFile('Chart.yaml'));

    expect(chart).toMatchObject({ version: VERSION, appVersion: VERSION });
    expect(text).toContain(`image: "aws-secrets-csi:${VERSION}"`);
  });
});
