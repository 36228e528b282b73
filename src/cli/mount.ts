import { isUtf8 } from 'node:buffer';
import { parseArgs } from 'node:util';
import { CallError, connect } from '../grpc/client.ts';
import type { MountRequest, MountResponse } from '../grpc/protocol.ts';
import { finish } from '../concurrency/time-slices.ts';
import type { PlannedFile } from '../model/mount-plan.ts';
import { publish } from '../mount/volume/publish.ts';
import { readVolume } from '../mount/volume/volume.ts';
import { SecretBytes } from '../model/secret-bytes.ts';
import { NAME } from '../model/version.ts';
import { type ManifestClass, readManifest, readText } from './manifest.ts';
import { type ExitCode, type Terminal, UsageError } from './terminal.ts';

const USAGE = `usage: ${NAME} mount MANIFEST --target DIR [options]

Calls a running provider for the class in a manifest, as the driver would, and lists the files in the directory afterwards.
  --target DIR            volume to fill, <kubelet dir>/pods/<uid>/volumes/kubernetes.io~csi/<volume>/mount: the provider
                          accepts no other, and must see it under the same path
  --socket FILE           provider's socket (default /var/run/secrets-store-csi-providers/aws.sock)
  --class NAME            which class, if the manifest has several
  --namespace NAME        pod's namespace (default: the class's)
  --pod NAME              pod's name (default ${NAME}-mount)
  --pod-uid UID           pod's uid (default: the one in --target)
  --service-account NAME  pod's service account (default "default")
  --token-file AUD=FILE   service-account token for an audience; repeat it for each
  --timeout SECONDS       how long to wait (default 120, as the kubelet does)
  --show-values           print the contents too
Exit code: 0 mounted, 1 refused, 2 wrong usage.`;

/** One day. Node's timers fire at once for more than 24 days. */
const MAX_TIMEOUT_S = 86_400;

export async function mountCommand(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { values: options, positionals } = readOptions(args);
  if (options.help) {
    terminal.out(USAGE);
    return 0;
  }
  const [file] = positionals;
  const { target } = options;
  if (file === undefined || target === undefined) {
    throw new UsageError('name a manifest file and a --target directory');
  }
  const timeoutMs = readTimeout(options.timeout);
  const request = requestFor(choose(file, options.class), target, options);
  using client = connect(options.socket, timeoutMs);
  let response: MountResponse;
  try {
    response = await client.mount(request, terminal.signal);
  } catch (error) {
    if (!(error instanceof CallError)) {
      throw error;
    }
    terminal.err(`${error.code}: ${error.message}`);
    return 1;
  }
  if (response.files.length > 0) {
    const files = response.files.map(({ path, mode, contents }) => ({ path, mode, value: new SecretBytes(contents) }));
    finish(publish(target, files));
  }
  const { files } = finish(readVolume(target));
  list(files, response, options['show-values'], terminal);
  return 0;
}

/** @throws TypeError of parseArgs */
function readOptions(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      target: { type: 'string' },
      socket: { type: 'string', default: '/var/run/secrets-store-csi-providers/aws.sock' },
      class: { type: 'string' },
      namespace: { type: 'string' },
      pod: { type: 'string', default: `${NAME}-mount` },
      'pod-uid': { type: 'string' },
      'service-account': { type: 'string', default: 'default' },
      'token-file': { type: 'string', multiple: true, default: [] },
      timeout: { type: 'string', default: '120' },
      'show-values': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
}

/** @returns milliseconds */
function readTimeout(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= MAX_TIMEOUT_S)) {
    throw new UsageError(`--timeout: expected seconds above 0 and up to ${MAX_TIMEOUT_S}, not "${text}"`);
  }
  return seconds * 1_000;
}

/** The path of a pod's volume contains the pod's uid. */
function podUidIn(target: string): string {
  const [, uid] = /\/pods\/([^/]+)\/volumes\//.exec(target) ?? [];
  if (uid === undefined) {
    throw new UsageError(
      '--target: expected <kubelet dir>/pods/<uid>/volumes/kubernetes.io~csi/<volume>/mount; to try a provider, start it with --kubelet-dir and --require-mounted-volumes=false',
    );
  }
  return uid;
}

function choose(file: string, name: string | undefined): ManifestClass {
  const { classes, problems } = readManifest(readText(file));
  const [problem] = problems;
  if (problem !== undefined) {
    throw new UsageError(`${file}:${problem.position.line}:${problem.position.col}: ${problem.message}`);
  }
  const wanted = classes.filter((candidate) => name === undefined || candidate.name === name);
  const [found] = wanted;
  if (found === undefined || wanted.length > 1) {
    const names = classes.map((candidate) => candidate.name).join(', ') || 'none';
    throw new UsageError(`choose one class of ${file} by --class; it has ${names}`);
  }
  return found;
}

/** The request as driver 1.6 sends it; see its provider_client.go and nodeserver.go. */
function requestFor(
  { name, namespace, parameters }: ManifestClass,
  target: string,
  options: ReturnType<typeof readOptions>['values'],
): MountRequest {
  const tokens = readTokens(options['token-file']);
  const attributes = {
    ...Object.fromEntries(parameters),
    secretProviderClass: name,
    'csi.storage.k8s.io/pod.name': options.pod,
    'csi.storage.k8s.io/pod.namespace': options.namespace ?? namespace,
    'csi.storage.k8s.io/pod.uid': options['pod-uid'] ?? podUidIn(target),
    'csi.storage.k8s.io/serviceAccount.name': options['service-account'],
    'csi.storage.k8s.io/ephemeral': 'true',
    ...(tokens.length > 0 && {
      'csi.storage.k8s.io/serviceAccount.tokens': JSON.stringify(Object.fromEntries(tokens)),
    }),
  };
  return {
    attributes: JSON.stringify(attributes),
    secrets: 'null',
    targetPath: target,
    permission: '420',
    currentObjectVersion: [],
  };
}

/** @returns tokens by audience */
function readTokens(pairs: readonly string[]): readonly [audience: string, { readonly token: string }][] {
  return pairs.map((pair) => {
    const [, audience, file] = /^([^=]+)=(.+)$/.exec(pair) ?? [];
    if (audience === undefined || file === undefined) {
      throw new UsageError(`--token-file: expected AUDIENCE=FILE, got "${pair}"`);
    }
    return [audience, { token: readText(file).trim() }];
  });
}

function list(
  files: readonly PlannedFile[],
  { objectVersion }: MountResponse,
  showValues: boolean,
  terminal: Terminal,
): void {
  const versions = new Map(objectVersion.map(({ id, version }) => [id, version]));
  const rows = files
    .toSorted((one, other) => (one.path < other.path ? -1 : 1))
    .map(({ path, mode, value }) => [
      mode.toString(8).padStart(4, '0'),
      `${value.size}`,
      path,
      versions.get(path) ?? '',
      showValues ? shown(value) : '',
    ]);
  const table = [['MODE', 'BYTES', 'FILE', 'VERSION', showValues ? 'CONTENTS' : ''], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  for (const row of table) {
    const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    terminal.out(cells.join('  ').trimEnd());
  }
}

function shown(value: SecretBytes): string {
  const bytes = value.expose();
  return isUtf8(bytes) ? JSON.stringify(value.exposeText()) : `base64 ${Buffer.from(bytes).toString('base64')}`;
}
