import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** moto, an emulator of AWS in Python: answers STS, Secrets Manager and SSM, and keeps accounts and regions apart. */
export interface Moto extends AsyncDisposable {
  readonly url: string;
}

const PYTHON = fileURLToPath(new URL('../../../.cache/moto/bin/python', import.meta.url));
const SERVER = fileURLToPath(new URL('moto_server.py', import.meta.url));
const START_MS = 30_000;

/** @throws Error when it is not installed (`npm run setup`) or does not start */
export async function startMoto(): Promise<Moto> {
  const child = spawn(PYTHON, [SERVER], { stdio: ['pipe', 'pipe', 'ignore'] });
  const started = AbortSignal.timeout(START_MS);
  try {
    const [url] = await Promise.race([
      once(createInterface(child.stdout), 'line', { signal: started }),
      once(child, 'exit', { signal: started }).then(([code]) => {
        throw new Error(`it ended with code ${code}`);
      }),
    ]);
    return { url, [Symbol.asyncDispose]: () => stop(child) };
  } catch (cause) {
    await stop(child);
    throw new Error('moto did not start: has "npm run setup" been run?', { cause });
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill();
    await exited;
  }
}
