import { once } from 'node:events';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { API_TOKEN, writeKubeconfig } from './access.ts';
import { ensureCertificates } from './certificates.ts';
import { isKubeApiServerBuilt, startKubeApiServer } from './kube-api-server.ts';
import { type Options, OptionsError, readOptions, USAGE } from './options.ts';
import { findProgram } from './provider-program.ts';
import { describeLoad, RUNS } from './run.ts';
import { type StandIns, startStandIns } from './start-stand-ins.ts';
import { prepareSurroundings } from './surroundings.ts';

const DISK_FOLDER = join(import.meta.dirname, '..', '..', '.cache', 'bench');

async function main(options: Options, signal: AbortSignal): Promise<number> {
  await using standIns = await startStandIns({
    ports: options.ports,
    certificates: await ensureCertificates(DISK_FOLDER),
    apiLatencyMs: options.apiLatencyMs,
    settings: {
      latencyMs: options.latencyMs,
      denied: [],
      rates: options.rates ?? {},
      secretBytes: options.secretBytes,
    },
  });
  if (options.mode === 'stand-ins') {
    announce(standIns);
    await once(signal, 'abort');
    return 0;
  }
  await using kubeApi =
    options.standInApi || !isKubeApiServerBuilt()
      ? undefined
      : await startKubeApiServer(API_TOKEN, standIns.caFile, join(DISK_FOLDER, 'kube-api-server.log'));
  using surroundings = prepareSurroundings(standIns, DISK_FOLDER, kubeApi);
  const program = await findProgram(options.fromSource, options.nodeFlags);
  const setting = `Node ${process.version}: ${program.command.slice(1).join(' ')}; ${availableParallelism()} cores, load average ${loadavg()[0]?.toFixed(1)} before; ${surroundings.access.note}`;
  const report = await RUNS[options.mode](
    { options, surroundings, program, progress: (text) => process.stderr.write(`bench: ${text}\n`) },
    signal,
  );
  console.log(
    options.json
      ? JSON.stringify({ setting, options, ...report.data }, null, 2)
      : `${setting}\n${describeLoad(options, kubeApi === undefined)}\n\n${report.text}`,
  );
  if (report.wrong > 0) {
    console.error(
      `bench: ${report.wrong} mounts failed or were wrong; the first: ${report.firstProblem}; the provider's log: ${surroundings.providerLog}`,
    );
    return 1;
  }
  return 0;
}

/** What another provider has to be started with. */
function announce({ ports, caFile }: StandIns): void {
  console.log(`AWS_ENDPOINT_URL=https://127.0.0.1:${ports.aws}
AWS_CA_BUNDLE=${caFile}
KUBECONFIG=${writeKubeconfig(join(DISK_FOLDER, 'kubeconfig'), ports.api, caFile)}
EKS Pod Identity agent: http://127.0.0.1:${ports.agent}`);
}

const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => stopping.abort());
}

if (process.argv.slice(2).some((arg) => arg === '--help' || arg === '-h')) {
  console.log(USAGE);
} else {
  try {
    process.exitCode = await main(readOptions(process.argv.slice(2)), stopping.signal);
  } catch (error) {
    if (stopping.signal.aborted) {
      process.exitCode = 130;
    } else if (error instanceof OptionsError) {
      console.error(`bench: ${error.message}\n\n${USAGE}`);
      process.exitCode = 2;
    } else {
      console.error('bench:', error instanceof Error ? error.message : error);
      process.exitCode = 1;
    }
  }
}
