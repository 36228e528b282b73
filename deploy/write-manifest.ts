import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findHelm } from './helm.ts';
import { renderManifest } from './manifest.ts';

const program = findHelm();
if (program === undefined) {
  process.stderr.write('Helm is needed: node test/charts/install-helm.mjs\n');
  process.exitCode = 1;
} else {
  writeFileSync(join(import.meta.dirname, 'aws-secrets-csi.yaml'), renderManifest(program));
}
