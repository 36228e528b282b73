import { type FlagTable, bool, durationUpTo, integer, proxyUrl, region, text, url } from './flag-types.ts';

/** How AWS and the EKS Pod Identity agent are reached. */
export const AWS_FLAGS = {
  'aws-region': {
    type: region,
    help: 'Region of SecretProviderClasses that name none. Not set: the node label `topology.kubernetes.io/region`.',
  },
  'endpoint-url': {
    type: url,
    env: 'AWS_ENDPOINT_URL',
    help: 'Address of every AWS service, instead of its regional endpoint.',
  },
  'endpoint-url-sts': { type: url, env: 'AWS_ENDPOINT_URL_STS', help: 'Address of STS.' },
  'endpoint-url-secrets-manager': {
    type: url,
    env: 'AWS_ENDPOINT_URL_SECRETS_MANAGER',
    help: 'Address of Secrets Manager.',
  },
  'endpoint-url-ssm': { type: url, env: 'AWS_ENDPOINT_URL_SSM', help: 'Address of Parameter Store.' },
  'endpoint-url-sqs': { type: url, env: 'AWS_ENDPOINT_URL_SQS', help: 'Address of SQS.' },
  'ca-bundle': {
    type: text('FILE'),
    env: 'AWS_CA_BUNDLE',
    help: 'PEM file of the certificate authorities to trust for AWS.',
  },
  'use-fips-endpoint': {
    type: bool,
    default: 'false',
    env: 'AWS_USE_FIPS_ENDPOINT',
    help: 'Use the FIPS endpoints, of STS too.',
  },
  'use-dualstack-endpoint': {
    type: bool,
    default: 'false',
    env: 'AWS_USE_DUALSTACK_ENDPOINT',
    help: 'Use the dual-stack endpoints (IPv4 and IPv6).',
  },
  'http-proxy': { type: proxyUrl, help: 'Proxy to AWS for http:// endpoints.' },
  'https-proxy': { type: proxyUrl, help: 'Proxy to AWS for https:// endpoints.' },
  'no-proxy': { type: text('HOSTS'), help: 'Hosts to reach without the proxy, separated by commas.' },
  'aws-max-attempts': { type: integer('N'), default: '3', help: 'Attempts at one AWS call, including the first.' },
  'aws-connect-timeout': { type: durationUpTo('1h'), default: '3s', help: 'Longest wait for a connection to AWS.' },
  'aws-request-timeout': {
    type: durationUpTo('1h'),
    default: '10s',
    help: 'Longest wait for the response to one attempt.',
  },
  'pod-identity-http-timeout': {
    type: durationUpTo('1h'),
    default: '5s',
    help: 'Longest wait for one response of the EKS Pod Identity agent.',
  },
  'pod-identity-endpoint-ipv4': {
    type: url,
    default: 'http://169.254.170.23',
    help: 'Address of the EKS Pod Identity agent over IPv4.',
  },
  'pod-identity-endpoint-ipv6': {
    type: url,
    default: 'http://[fd00:ec2::23]',
    help: 'Address of the EKS Pod Identity agent over IPv6.',
  },
} as const satisfies FlagTable;
