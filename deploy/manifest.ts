import { CHART, runHelm } from './helm.ts';

const HEADER = `# The provider for clusters without Helm: the chart rendered with its default values. Written by "node deploy/write-manifest.ts".
# Replace the image by your own (deploy/Dockerfile), then: kubectl apply -f aws-secrets-csi.yaml
`;

/**
 * Chart defaults as a manifest of its own, without the labels by which Helm knows its releases.
 * @throws Error with what Helm says
 */
export function renderManifest(program: string): string {
  const { ok, stdout, stderr } = runHelm(program, ['template', 'aws-secrets-csi', CHART, '--namespace', 'kube-system']);
  if (!ok) {
    throw new Error(stderr);
  }
  const lines = stdout
    .split('\n')
    .filter((line) => !/^# Source:|^\s+(?:helm\.sh\/chart|app\.kubernetes\.io\/managed-by):/.test(line));
  return HEADER + lines.join('\n');
}
