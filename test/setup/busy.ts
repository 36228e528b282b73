// `npm run busy [-- [--runs N] command…]`: runs a command (`npm test`) some times (5) beside four busy loops per core, and reports each run. Tests must not fail
// because the machine is slow.
import { spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';

const LOOPS_PER_CORE = 4;

interface Run {
  readonly code: number | null;
  readonly seconds: number;
  /** The last line that it printed. */
  readonly said: string;
}

/** Keeps the cores busy until it is disposed of. */
function startLoops(): Disposable {
  const loops = Array.from({ length: LOOPS_PER_CORE * availableParallelism() }, () =>
    spawn(process.execPath, ['--eval', 'for (;;);'], { stdio: 'ignore' }),
  );
  function stop(): void {
    loops.forEach((loop) => loop.kill('SIGKILL'));
  }
  process.once('exit', stop);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => process.exit(1));
  }
  return { [Symbol.dispose]: stop };
}

function run([program = '', ...args]: readonly string[]): Run {
  const began = performance.now();
  const { status, stdout } = spawnSync(program, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: Infinity,
  });
  process.stdout.write(stdout);
  const seconds = Math.round((performance.now() - began) / 1_000);
  return { code: status, seconds, said: stdout.trimEnd().split('\n').at(-1) ?? '' };
}

const { values, positionals } = parseArgs({
  options: { runs: { type: 'string', default: '5' } },
  allowPositionals: true,
});
const command = positionals.length > 0 ? positionals : ['npm', 'test'];
using _loops = startLoops();
const runs = Array.from({ length: Number(values.runs) }, () => run(command));
console.table(runs);
process.exitCode = runs.length > 0 && runs.every(({ code }) => code === 0) ? 0 : 1;
