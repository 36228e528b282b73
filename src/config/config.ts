import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AwsSettings } from '../aws/client/settings.ts';
import { NAME, VERSION } from '../model/version.ts';
import type { FlagValues } from './flags.ts';
import { readFlags } from './read-flags.ts';

/** All problems of flags and environment at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** AWS truncates a longer application id, with a warning (user agent 2.1). */
const MAX_APP_ID = 50;

/** Every setting of the daemon, checked; `flags/` describes each. Other code does not read arguments or the environment. */
export type Config = Readonly<ReturnType<typeof configOf>>;

/** @throws ConfigError */
export function readConfig(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Config {
  const { values, problems: flagProblems } = readFlags(args, withLowerCaseProxies(env));
  const problems = [...flagProblems, ...contradictions(values)];
  const caBundle = readCaBundle(values['ca-bundle'], problems);
  if (problems.length > 0) {
    throw new ConfigError(problems);
  }
  return configOf(values, caBundle);
}

function configOf(values: FlagValues, caBundle: string | undefined) {
  return {
    socketPath: join(values['provider-volume'], `${values['socket-name']}.sock`),
    /** The `provider` of the classes to serve. */
    providerName: values['socket-name'],
    driverWritesSecrets: values['driver-writes-secrets'],
    volumes: {
      kubeletDir: values['kubelet-dir'],
      mustBeMounted: values['require-mounted-volumes'],
      maxVolumeBytes: values['max-volume-bytes'],
      maxNodeBytes: values['max-node-bytes'],
    },
    ...defined({ defaultRegion: values['aws-region'] }),
    rotationPollIntervalMs: values['rotation-poll-interval'],
    rotation: { enabled: values['enable-secret-rotation'], ...defined({ queueUrl: values['rotation-queue-url'] }) },
    syncSecret: values['sync-secret'],
    secretPolicy: {
      allowedTypes: values['sync-secret-allowed-types'],
      deniedMetadata: values['sync-secret-denied-metadata'],
    },
    tokenRequest: values['token-request'],
    restart: { enabled: values['restart-on-rotation'], minIntervalMs: values['restart-min-interval'] },
    cacheMaxBytes: values['cache-max-bytes'],
    mountTimeoutMs: values['mount-timeout'],
    drainMs: values['drain-timeout'],
    healthAddress: values['health-address'],
    log: { level: values['log-level'], format: values['log-format'] },
    aws: awsSettings(values, caBundle),
    kube: {
      ...defined({ kubeconfig: values.kubeconfig, nodeName: values['node-name'], ownPod: ownPod(values) }),
      timeoutMs: values['kube-timeout'],
    },
  };
}

/** The provider's own pod, if it is known. */
function ownPod({ 'pod-name': name, 'pod-namespace': namespace, 'pod-uid': uid = '' }: FlagValues) {
  return name === undefined || namespace === undefined ? undefined : { namespace, name, uid };
}

/** Checks flags that are valid on their own, but not together. */
function contradictions(values: FlagValues): readonly string[] {
  const rotates = values['enable-secret-rotation'];
  const needNode = (['enable-secret-rotation', 'sync-secret', 'restart-on-rotation'] as const).filter(
    (name) => values[name] && values['node-name'] === undefined,
  );
  const needRotation = (['restart-on-rotation', 'rotation-queue-url'] as const).filter(
    (name) => values[name] && !rotates,
  );
  return [
    ...needNode.map((name) => `--${name}: needs --node-name, to find the pods of this node`),
    ...needRotation.map((name) => `--${name}: needs --enable-secret-rotation`),
    ...(values['max-node-bytes'] < 4 * values['max-volume-bytes']
      ? ['--max-node-bytes: must be at least four times --max-volume-bytes, as a namespace gets a quarter of it']
      : []),
  ];
}

function awsSettings(values: FlagValues, caBundle: string | undefined): AwsSettings {
  const shared = values['endpoint-url'];
  return {
    endpoints: defined({
      sts: values['endpoint-url-sts'] ?? shared,
      secretsManager: values['endpoint-url-secrets-manager'] ?? shared,
      ssm: values['endpoint-url-ssm'] ?? shared,
      sqs: values['endpoint-url-sqs'] ?? shared,
    }),
    useFipsEndpoint: values['use-fips-endpoint'],
    useDualstackEndpoint: values['use-dualstack-endpoint'],
    proxy: defined({
      HTTP_PROXY: values['http-proxy'],
      HTTPS_PROXY: values['https-proxy'],
      NO_PROXY: values['no-proxy'],
    }),
    podIdentity: {
      ipv4: values['pod-identity-endpoint-ipv4'],
      ipv6: values['pod-identity-endpoint-ipv6'],
      timeoutMs: values['pod-identity-http-timeout'],
    },
    maxAttempts: values['aws-max-attempts'],
    connectTimeoutMs: values['aws-connect-timeout'],
    requestTimeoutMs: values['aws-request-timeout'],
    ...defined({ caBundle }),
    appId: `${NAME}-${values['eks-addon-version'] ?? VERSION}`.slice(0, MAX_APP_ID),
  };
}

function readCaBundle(file: string | undefined, problems: string[]): string | undefined {
  if (file === undefined) {
    return undefined;
  }
  try {
    const text = readFileSync(file, 'utf8');
    if (!text.includes('-----BEGIN CERTIFICATE-----')) {
      problems.push(`AWS_CA_BUNDLE: "${file}" holds no PEM certificate`);
    }
    return text;
  } catch (error) {
    problems.push(`AWS_CA_BUNDLE: cannot read "${file}": ${error instanceof Error ? error.message : 'unknown error'}`);
    return undefined;
  }
}

/** Proxy variables are used in both cases by convention; lower case takes precedence, as in curl. */
function withLowerCaseProxies(env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  const merged = { ...env };
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY']) {
    merged[name] = env[name.toLowerCase()] || env[name];
  }
  return merged;
}

/** Removes undefined fields, because our types distinguish absent from undefined. */
function defined<Fields extends object>(
  fields: Fields,
): { readonly [Key in keyof Fields]?: Exclude<Fields[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    readonly [Key in keyof Fields]?: Exclude<Fields[Key], undefined>;
  };
}
