import type { AwsSettings } from '../../../src/aws/client/settings.ts';

/** For tests of what AWS never answers. */
export const IMPATIENT: Partial<AwsSettings> = { connectTimeoutMs: 1_000, requestTimeoutMs: 1_000 };

/** Every service at one address, and nothing that a busy machine could be too slow for. */
export function settingsFor(endpoint: string, changes: Partial<AwsSettings> = {}): AwsSettings {
  return {
    endpoints: { sts: endpoint, secretsManager: endpoint, ssm: endpoint, sqs: endpoint },
    useFipsEndpoint: false,
    useDualstackEndpoint: false,
    proxy: {},
    podIdentity: { ipv4: 'http://127.0.0.1:1', ipv6: 'http://[::1]:1', timeoutMs: 300 },
    maxAttempts: 2,
    connectTimeoutMs: 60_000,
    requestTimeoutMs: 60_000,
    appId: 'aws-secrets-csi-test',
    ...changes,
  };
}

/** Flags with long time-outs, so that a busy machine does not look like an outage of AWS. */
export const PATIENT = ['--aws-connect-timeout=1m', '--aws-request-timeout=1m'] as const;
