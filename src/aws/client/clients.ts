import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { fromWebToken } from '@aws-sdk/credential-providers';
import type { SecretBytes } from '../../model/secret-bytes.ts';
import { clientConfig } from './client-config.ts';
import type { Regional } from '../model/store.ts';
import { eachTryInTurn } from './in-turn.ts';
import type { AwsSettings } from './settings.ts';
import { openTransport } from './transport.ts';

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

/** Clients over one pool of connections; a store's are kept as long as the credentials they sign with. Disposing of them closes the connections. */
export interface Clients extends Disposable {
  /** Asks the STS of a region. The signal ends the waits for a place; a request under way is ended by the transport's time limits. */
  assumeRoleWithWebIdentity(
    { region, limit }: Pick<Regional<unknown>, 'region' | 'limit'>,
    webIdentity: WebIdentity,
    signal: AbortSignal,
  ): Promise<Partial<Credentials>>;
  secretsManager(region: string, credentials: Credentials): SecretsManagerClient;
  ssm(region: string, credentials: Credentials): SSMClient;
}

export function openClients(settings: AwsSettings): Clients {
  const transport = openTransport(settings);

  function configFor(region: string, service: keyof AwsSettings['endpoints']) {
    return clientConfig(settings, transport, { region, endpoint: settings.endpoints[service] });
  }

  return {
    assumeRoleWithWebIdentity: ({ region, limit }, { roleArn, sessionName, token }, signal) =>
      fromWebToken({
        roleArn,
        roleSessionName: sessionName,
        webIdentityToken: token.exposeText(),
        clientConfig: configFor(region, 'sts'),
        clientPlugins: [eachTryInTurn(limit, signal)],
      })(),
    secretsManager: keptWithCredentials(
      (region, credentials) => new SecretsManagerClient({ ...configFor(region, 'secretsManager'), credentials }),
    ),
    ssm: keptWithCredentials((region, credentials) => new SSMClient({ ...configFor(region, 'ssm'), credentials })),
    [Symbol.dispose]: () => transport[Symbol.dispose](),
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
