import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { STSClient, type STSClientConfig } from '@aws-sdk/client-sts';
import type { AwsSettings } from './settings.ts';
import type { Transport } from './transport.ts';

/** What signs a request. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

/** Makes clients: light objects over the one transport (0.1 ms each), so none is kept. */
export interface Clients {
  sts(region: string): STSClient;
  secretsManager(region: string, credentials: Credentials): SecretsManagerClient;
  ssm(region: string, credentials: Credentials): SSMClient;
}

export function createClients(settings: AwsSettings, { requestHandler }: Transport): Clients {
  /** Says everything that the SDK would else look for in the environment, in shared config files or at the instance metadata service. */
  function configFor(region: string, endpoint: string | undefined) {
    return {
      region,
      requestHandler,
      maxAttempts: settings.maxAttempts,
      retryMode: 'standard',
      defaultsMode: 'standard',
      userAgentAppId: settings.appId,
      authSchemePreference: [],
      ignoreConfiguredEndpointUrls: true,
      // An address is taken as it is: the SDK refuses one together with these two.
      useFipsEndpoint: endpoint === undefined && settings.useFipsEndpoint,
      useDualstackEndpoint: endpoint === undefined && settings.useDualstackEndpoint,
      ...(endpoint !== undefined && { endpoint }),
    } satisfies STSClientConfig;
  }

  return {
    sts: (region) => new STSClient(configFor(region, settings.endpoints.sts)),
    secretsManager: (region, credentials) =>
      new SecretsManagerClient({ ...configFor(region, settings.endpoints.secretsManager), credentials }),
    ssm: (region, credentials) => new SSMClient({ ...configFor(region, settings.endpoints.ssm), credentials }),
  };
}
