import { SecretsManagerClient, type SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { fromWebToken } from '@aws-sdk/credential-providers';
import type { SecretBytes } from '../secret-bytes.ts';
import type { AwsSettings } from './settings.ts';
import type { Transport } from './transport.ts';

/** What signs a request. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

/** A service account's token, and what it is to be exchanged for. */
export interface WebIdentity {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly token: SecretBytes;
}

/** Clients over the one transport; a store's are kept as long as the credentials they sign with. */
export interface Clients {
  /** Asks the STS of a region. It takes no signal; the transport's time limits end it. */
  assumeRoleWithWebIdentity(region: string, webIdentity: WebIdentity): Promise<Partial<Credentials>>;
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
    } satisfies SecretsManagerClientConfig;
  }

  return {
    assumeRoleWithWebIdentity: (region, { roleArn, sessionName, token }) =>
      fromWebToken({
        roleArn,
        roleSessionName: sessionName,
        webIdentityToken: token.exposeText(),
        clientConfig: configFor(region, settings.endpoints.sts),
      })(),
    secretsManager: keptWithCredentials(
      (region, credentials) =>
        new SecretsManagerClient({ ...configFor(region, settings.endpoints.secretsManager), credentials }),
    ),
    ssm: keptWithCredentials(
      (region, credentials) => new SSMClient({ ...configFor(region, settings.endpoints.ssm), credentials }),
    ),
  };
}

type MakeClient<Client> = (region: string, credentials: Credentials) => Client;

function keptWithCredentials<Client>(make: MakeClient<Client>): MakeClient<Client> {
  const kept = new WeakMap<Credentials, Map<string, Client>>();
  return (region, credentials) => {
    const byRegion = kept.get(credentials) ?? new Map<string, Client>();
    const client = byRegion.get(region) ?? make(region, credentials);
    kept.set(credentials, byRegion.set(region, client));
    return client;
  };
}
