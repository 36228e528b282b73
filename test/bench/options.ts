import { parseArgs } from 'node:util';
import { type Action, ACTIONS } from './aws/state.ts';
import type { LoadShape } from './load.ts';
import type { Ports } from './start-stand-ins.ts';

export type Mode = 'table' | 'scale' | 'rotation' | 'soak' | 'profile' | 'stand-ins';

export interface Options {
  readonly mode: Mode;
  readonly load: LoadShape;
  readonly concurrency: number;
  readonly latencyMs: number;
  readonly apiLatencyMs: number;
  readonly secretBytes: number;
  readonly json: boolean;
  readonly fromSource: boolean;
  /** Absent means: those of the image. */
  readonly nodeFlags?: readonly string[];
  /** Further flags of `serve`. */
  readonly serveFlags: readonly string[];
  /** Scenarios whose name holds this text. */
  readonly only: string;
  /** Starts to measure. */
  readonly starts: number;
  /** Calls a second; absent means no throttling. */
  readonly rates?: Readonly<Partial<Record<Action, number>>>;
  readonly soakSeconds: number;
  /** Bytes. */
  readonly memoryLimit?: number;
  /** The stand-in for the API server even where a real one is built. */
  readonly standInApi: boolean;
  readonly other?: { readonly socket: string; readonly pid: number };
  readonly ports: Ports;
}

export class OptionsError extends Error {
  override readonly name = 'OptionsError';
}

/** Far below what AWS grants, so that 110 pods feel them; STS and Parameter Store are the tight ones there too. */
const TIGHT_RATES = 'sts=20,get=100,batch=5,ssm=10,agent=20';

/** Where another provider looks for them, which has to be told before the run. */
const KNOWN_PORTS: Ports = { aws: 18_443, agent: 18_080, api: 16_443 };

export const USAGE = `usage: npm run bench -- [options]

What to run (default: the table of scenarios):
  --scale              how cost grows with pods (10 to 1,000) and secrets a pod (1 to 50)
  --rotation           what looking after mounts costs, and how fresh they are
  --soak SECONDS       republish, rotate and replace pods all the time; how memory grows
  --profile            where the provider's CPU time goes in a cold start
  --stand-ins          only AWS, the agent and the API server, until Ctrl-C
  --only TEXT          only scenarios whose name holds this text
  --starts N           starts to measure (default 10; 0 leaves that out)

The load (defaults are those of the targets):
  --pods N --accounts N --secrets N --parameters N --concurrency N      110, 10, 10, 0, 16
  --own-secrets        no pod shares a secret with another
  --pod-identity       EKS Pod Identity instead of IRSA
  --secret-bytes N     size of each value (default 256)
  --latency MS         of each AWS call (default 10); --api-latency MS of the API server (default 2)
  --throttle           AWS refuses what comes too fast; --rates ${TIGHT_RATES}

The provider:
  --source             src/main.ts instead of the bundle
  --node-flags=FLAGS   default: those of the image
  --serve-flags=FLAGS  further flags of serve, e.g. --driver-writes-secrets
  --memory-limit SIZE  run it in a memory cgroup, e.g. 100MiB (as root)
  --stand-in-api       no real API server, though "npm run e2e" has built one
  --provider SOCKET --pid N   measure this other provider too; start it against the addresses that --stand-ins prints

  --json               results as JSON`;

/** @throws OptionsError */
export function readOptions(args: readonly string[]): Options {
  const values = parse(args);
  const modes = (['scale', 'rotation', 'soak', 'profile', 'stand-ins'] as const).filter(
    (mode) => values[mode] !== undefined,
  );
  if (modes.length > 1) {
    throw new OptionsError(`--${modes.join(' and --')} are different runs: choose one`);
  }
  const pods = whole('pods', values.pods);
  const { provider: socket, pid } = values;
  if ((socket === undefined) !== (pid === undefined)) {
    throw new OptionsError('--provider and --pid go together');
  }
  return {
    mode: modes[0] ?? 'table',
    load: {
      pods,
      accounts: whole('accounts', values.accounts),
      secretsPerPod: whole('secrets', values.secrets),
      parametersPerPod: whole('parameters', values.parameters),
      ownSecrets: values['own-secrets'],
      podIdentity: values['pod-identity'],
    },
    concurrency: whole('concurrency', values.concurrency),
    latencyMs: whole('latency', values.latency),
    apiLatencyMs: whole('api-latency', values['api-latency']),
    secretBytes: whole('secret-bytes', values['secret-bytes']),
    json: values.json,
    // Only the source has a file for each package.
    fromSource: values.source || values.profile === true,
    ...(values['node-flags'] !== undefined && { nodeFlags: words(values['node-flags']) }),
    serveFlags: words(values['serve-flags']),
    only: values.only,
    starts: whole('starts', values.starts),
    ...(values.throttle && { rates: readRates(values.rates) }),
    soakSeconds: whole('soak', values.soak ?? '0'),
    ...(values['memory-limit'] !== undefined && { memoryLimit: size(values['memory-limit']) }),
    // Another provider was started with the stand-in's address, and the real one knows no classes.
    standInApi: values['stand-in-api'] || socket !== undefined || values.rotation === true,
    ...(socket !== undefined && pid !== undefined && { other: { socket, pid: whole('pid', pid) } }),
    ports: socket !== undefined || values['stand-ins'] ? KNOWN_PORTS : { aws: 0, agent: 0, api: 0 },
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        scale: { type: 'boolean' },
        rotation: { type: 'boolean' },
        soak: { type: 'string' },
        profile: { type: 'boolean' },
        'stand-ins': { type: 'boolean' },
        only: { type: 'string', default: '' },
        starts: { type: 'string', default: '10' },
        pods: { type: 'string', default: '110' },
        accounts: { type: 'string', default: '10' },
        secrets: { type: 'string', default: '10' },
        parameters: { type: 'string', default: '0' },
        concurrency: { type: 'string', default: '16' },
        'own-secrets': { type: 'boolean', default: false },
        'pod-identity': { type: 'boolean', default: false },
        'secret-bytes': { type: 'string', default: '256' },
        latency: { type: 'string', default: '10' },
        'api-latency': { type: 'string', default: '2' },
        throttle: { type: 'boolean', default: false },
        rates: { type: 'string', default: TIGHT_RATES },
        source: { type: 'boolean', default: false },
        'node-flags': { type: 'string' },
        'serve-flags': { type: 'string', default: '' },
        'memory-limit': { type: 'string' },
        'stand-in-api': { type: 'boolean', default: false },
        provider: { type: 'string' },
        pid: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new OptionsError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function whole(name: string, text: string): number {
  if (!/^\d{1,7}$/.test(text)) {
    throw new OptionsError(`--${name}: expected a whole number, got "${text}"`);
  }
  return Number(text);
}

function size(text: string): number {
  const [, number, unit] = /^(\d+)(Ki|Mi|Gi)B?$/.exec(text) ?? [];
  const factor = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 }[unit ?? ''];
  if (factor === undefined) {
    throw new OptionsError(`--memory-limit: expected a size such as "100MiB", got "${text}"`);
  }
  return Number(number) * factor;
}

function readRates(text: string): Readonly<Partial<Record<Action, number>>> {
  const rates: Partial<Record<Action, number>> = {};
  for (const part of text.split(',')) {
    const [name, rate] = part.split('=');
    const action = (Object.keys(ACTIONS) as Action[]).find((candidate) => ACTIONS[candidate] === name);
    if (action === undefined || !(Number(rate) >= 1)) {
      const known = Object.values(ACTIONS).join(', ');
      throw new OptionsError(`--rates: expected parts such as "sts=20", of ${known}; got "${part}"`);
    }
    rates[action] = Number(rate);
  }
  return rates;
}

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
