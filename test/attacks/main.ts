// `npm run attacks`: every attack test, one after another. With `--minutes N`: a random mix of attacks for this time, against one process at the chart's limit.
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startMoto } from '../fakes/aws/moto.ts';
import { KINDS } from './mixed/kinds.ts';
import { runMix } from './mixed/run-mix.ts';
import { harmOf, showMix } from './mixed/show-mix.ts';
import { startAttackedNode } from './node/attacked-node.ts';

const root = join(import.meta.dirname, '..', '..');
/** `resources.limits.memory` of the chart. */
const LIMIT_MIB = 200;
const AT_ONCE = 5;
const ALONE_MOUNTS = 100;

function run(program: string, args: readonly string[]): number {
  return spawnSync(program, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
}

async function mix(minutes: number, seed: number, only: string): Promise<number> {
  if (run(process.execPath, ['deploy/bundle.mjs']) !== 0) {
    return 1;
  }
  // Volumes are memory, as on a node.
  if (existsSync('/dev/shm')) {
    process.env['TMPDIR'] = '/dev/shm';
  }
  const kinds = Object.fromEntries(Object.entries(KINDS).filter(([name]) => name.includes(only)));
  const atOnce = Math.min(AT_ONCE, Object.keys(kinds).length);
  console.log(`seed ${seed}: --seed ${seed} draws the same attacks`);
  await using moto = await startMoto();
  await using node = await startAttackedNode({
    motoUrl: moto.url,
    args: ['--sync-secret', '--enable-secret-rotation'],
    ...(process.getuid?.() === 0 ? { memoryMiB: LIMIT_MIB } : {}),
  });
  const report = await runMix(node, { seed, seconds: minutes * 60, atOnce, kinds, aloneMounts: ALONE_MOUNTS });
  console.log(`\n${showMix(report)}\n`);
  const harm = harmOf(report);
  harm.forEach((line) => console.log(`HARM: ${line}`));
  console.log(harm.length === 0 ? 'no harm done' : `${harm.length} kinds of harm`);
  return harm.length === 0 ? 0 : 1;
}

const { values, positionals } = parseArgs({
  options: { minutes: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string', default: '' } },
  allowPositionals: true,
});
const minutes = Number(values.minutes);
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
if (values.minutes === undefined) {
  const projects = ['--project=attacks', '--project=attacks-root'];
  const options = ['--config=test/vitest.config.ts', '--root=.', '--no-file-parallelism', ...projects];
  process.exitCode = run(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...options, ...positionals]);
} else if (minutes > 0 && Number.isInteger(seed)) {
  process.exitCode = await mix(minutes, seed, values.only);
} else {
  console.error(
    'usage: npm run attacks [-- [FILE…] | --minutes N [--seed N] [--only TEXT-OF-A-KIND]], both numbers above zero, the seed whole',
  );
  process.exitCode = 2;
}
