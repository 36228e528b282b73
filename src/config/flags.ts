import { OWN_POD_FLAGS } from './own-pod-flags.ts';
import { PROXY_FLAGS } from './proxy-flags.ts';
import { SECRET_FLAGS } from './secret-flags.ts';
import {
  absolutePath,
  address,
  anyText,
  bool,
  durationUpTo,
  integer,
  oneOf,
  region,
  socketName,
  url,
} from './values.ts';

export interface Flag<Value> {
  /** Environment variable read where the flag is not given. */
  readonly env: string;
  /** Absent: the flag has no value by default. */
  readonly default?: string;
  /** Placeholder for the value in the help; absent for a switch. */
  readonly value?: string;
  readonly help: string;
  /** @throws RangeError that says what was expected */
  readonly parse: (text: string) => Value;
}

/** Every setting of `serve`: parsing, environment, help, the README's table and the chart's test all read this table. */
export const FLAGS = {
  'provider-volume': {
    env: 'PROVIDER_VOLUME',
    default: '/var/run/secrets-store-csi-providers',
    value: 'DIR',
    help: 'Directory in which the driver expects provider sockets; created if missing.',
    parse: absolutePath,
  },
  'socket-name': {
    env: 'SOCKET_NAME',
    default: 'aws',
    value: 'NAME',
    help: 'The socket is `<provider-volume>/<NAME>.sock`; classes choose it by `provider: <NAME>`.',
    parse: socketName,
  },
  'driver-writes-secrets': {
    env: 'DRIVER_WRITES_SECRETS',
    default: 'false',
    help: 'Return the files to the driver, which writes them, instead of writing them into the volume.',
    parse: bool,
  },
  'kubelet-dir': {
    env: 'KUBELET_DIR',
    default: '/var/lib/kubelet',
    value: 'DIR',
    help: "The kubelet's `--root-dir`: only volumes of pods below it are written.",
    parse: absolutePath,
  },
  'require-mounted-volumes': {
    env: 'REQUIRE_MOUNTED_VOLUMES',
    default: 'true',
    help: 'Write only into volumes that are mounts of their own. Switch it off only in tests: secrets would land on the disk of the node.',
    parse: bool,
  },
  'max-volume-bytes': {
    env: 'MAX_VOLUME_BYTES',
    default: '8388608',
    value: 'BYTES',
    help: "Memory that the files of one pod's volume may take, in whole pages of 4,096 bytes.",
    parse: integer,
  },
  'max-node-bytes': {
    env: 'MAX_NODE_BYTES',
    default: '67108864',
    value: 'BYTES',
    help: "Memory that all volumes of the node may take, a quarter of it for one namespace: the kernel charges it to the provider's container. At least four times `max-volume-bytes`.",
    parse: integer,
  },
  'aws-region': {
    env: 'AWS_REGION',
    value: 'REGION',
    help: 'Region of SecretProviderClasses that name none. Not set: the node label `topology.kubernetes.io/region`.',
    parse: region,
  },
  'node-name': {
    env: 'NODE_NAME',
    value: 'NAME',
    help: 'Name of this node. Not set: read from the pod of the first mount.',
    parse: anyText,
  },
  ...OWN_POD_FLAGS,
  kubeconfig: {
    env: 'KUBECONFIG',
    value: 'FILE',
    help: "Kubeconfig of the API server. Not set: the pod's own service account.",
    parse: anyText,
  },
  'rotation-poll-interval': {
    env: 'ROTATION_POLL_INTERVAL',
    default: '2m',
    value: 'DURATION',
    help: 'Longest time that a value from AWS is cached for the identity that read it; a class can only shorten it. A mount within this time needs no call to AWS. With rotation: how often AWS is polled.',
    parse: durationUpTo('24h'),
  },
  'enable-secret-rotation': {
    env: 'ENABLE_SECRET_ROTATION',
    default: 'false',
    help: 'Poll AWS once per interval for every mounted volume of this node, and update the files that changed. Needs the name of the node.',
    parse: bool,
  },
  'rotation-queue-url': {
    env: 'ROTATION_QUEUE_URL',
    value: 'URL',
    help: 'SQS queue of change events from EventBridge: what they name is refreshed at once. Needs rotation.',
    parse: url,
  },
  ...SECRET_FLAGS,
  'token-request': {
    env: 'TOKEN_REQUEST',
    default: 'false',
    help: "Request a pod's tokens from the API server when the driver sent none, or only expired ones.",
    parse: bool,
  },
  'restart-on-rotation': {
    env: 'RESTART_ON_ROTATION',
    default: 'false',
    help: 'Restart a workload annotated `aws-secrets-csi/restart-on-rotation: "true"` when what it mounts has changed. Needs rotation.',
    parse: bool,
  },
  'restart-min-interval': {
    env: 'RESTART_MIN_INTERVAL',
    default: '5m',
    value: 'DURATION',
    help: 'Least time between two such restarts of one workload.',
    parse: durationUpTo('24h'),
  },
  'cache-max-bytes': {
    env: 'CACHE_MAX_BYTES',
    default: '16777216',
    value: 'BYTES',
    help: 'Memory for all cached values together; 0 caches versions only.',
    parse: integer,
  },
  'mount-timeout': {
    env: 'MOUNT_TIMEOUT',
    default: '60s',
    value: 'DURATION',
    help: 'Longest time for one Mount call. The kubelet gives up after two minutes.',
    parse: durationUpTo('1h'),
  },
  'drain-timeout': {
    env: 'DRAIN_TIMEOUT',
    default: '20s',
    value: 'DURATION',
    help: 'Longest time for mounts in progress to finish when the process stops.',
    parse: durationUpTo('1h'),
  },
  'health-address': {
    env: 'HEALTH_ADDRESS',
    default: '127.0.0.1:8989',
    value: 'HOST:PORT',
    help: 'Where `/livez` and `/readyz` are served; port 0 lets the system choose.',
    parse: address,
  },
  'log-level': {
    env: 'LOG_LEVEL',
    default: 'info',
    value: 'LEVEL',
    help: '`debug`, `info`, `warn` or `error`.',
    parse: oneOf('debug', 'info', 'warn', 'error'),
  },
  'log-format': {
    env: 'LOG_FORMAT',
    default: 'json',
    value: 'FORMAT',
    help: '`json`, or `text` for reading at a terminal.',
    parse: oneOf('json', 'text'),
  },
  'endpoint-url': {
    env: 'AWS_ENDPOINT_URL',
    value: 'URL',
    help: 'Address of every AWS service, instead of its regional endpoint.',
    parse: url,
  },
  'endpoint-url-sts': {
    env: 'AWS_ENDPOINT_URL_STS',
    value: 'URL',
    help: 'Address of STS.',
    parse: url,
  },
  'endpoint-url-secrets-manager': {
    env: 'AWS_ENDPOINT_URL_SECRETS_MANAGER',
    value: 'URL',
    help: 'Address of Secrets Manager.',
    parse: url,
  },
  'endpoint-url-ssm': {
    env: 'AWS_ENDPOINT_URL_SSM',
    value: 'URL',
    help: 'Address of Parameter Store.',
    parse: url,
  },
  'endpoint-url-sqs': {
    env: 'AWS_ENDPOINT_URL_SQS',
    value: 'URL',
    help: 'Address of SQS.',
    parse: url,
  },
  'ca-bundle': {
    env: 'AWS_CA_BUNDLE',
    value: 'FILE',
    help: 'PEM file of the certificate authorities to trust for AWS.',
    parse: anyText,
  },
  'use-fips-endpoint': {
    env: 'AWS_USE_FIPS_ENDPOINT',
    default: 'false',
    help: 'Use the FIPS endpoints, of STS too.',
    parse: bool,
  },
  'use-dualstack-endpoint': {
    env: 'AWS_USE_DUALSTACK_ENDPOINT',
    default: 'false',
    help: 'Use the endpoints that answer over IPv6 as well.',
    parse: bool,
  },
  ...PROXY_FLAGS,
  'aws-max-attempts': {
    env: 'AWS_MAX_ATTEMPTS',
    default: '3',
    value: 'N',
    help: 'Attempts at one AWS call, including the first.',
    parse: integer,
  },
  'aws-connect-timeout': {
    env: 'AWS_CONNECT_TIMEOUT',
    default: '3s',
    value: 'DURATION',
    help: 'Longest wait for a connection to AWS.',
    parse: durationUpTo('1h'),
  },
  'aws-request-timeout': {
    env: 'AWS_REQUEST_TIMEOUT',
    default: '10s',
    value: 'DURATION',
    help: 'Longest wait for the response to one attempt.',
    parse: durationUpTo('1h'),
  },
  'kube-timeout': {
    env: 'KUBE_TIMEOUT',
    default: '10s',
    value: 'DURATION',
    help: 'Longest wait for one response of the API server.',
    parse: durationUpTo('1h'),
  },
  'pod-identity-http-timeout': {
    env: 'POD_IDENTITY_HTTP_TIMEOUT',
    default: '5s',
    value: 'DURATION',
    help: 'Longest wait for one response of the EKS Pod Identity agent.',
    parse: durationUpTo('1h'),
  },
  'pod-identity-endpoint-ipv4': {
    env: 'POD_IDENTITY_ENDPOINT_IPV4',
    default: 'http://169.254.170.23',
    value: 'URL',
    help: 'Address of the EKS Pod Identity agent over IPv4.',
    parse: url,
  },
  'pod-identity-endpoint-ipv6': {
    env: 'POD_IDENTITY_ENDPOINT_IPV6',
    default: 'http://[fd00:ec2::23]',
    value: 'URL',
    help: 'Address of the EKS Pod Identity agent over IPv6.',
    parse: url,
  },
  'eks-addon-version': {
    env: 'EKS_ADDON_VERSION',
    value: 'VERSION',
    help: "Version named to AWS in the user agent instead of the package's.",
    parse: anyText,
  },
  qps: {
    env: 'QPS',
    value: 'N',
    help: "Accepted for compatibility with AWS's provider, and ignored: look-ups are shared and need no throttle.",
    parse: integer,
  },
  burst: {
    env: 'BURST',
    value: 'N',
    help: 'As `qps`.',
    parse: integer,
  },
} as const satisfies Readonly<Record<string, Flag<unknown>>>;

export type FlagName = keyof typeof FLAGS;
