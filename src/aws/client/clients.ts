import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SSMClient } from '@aws-sdk/client-ssm';
import { fromWebToken } from '@aws-sdk/credential-providers';
import type { ServerClock } from '../../concurrency/server-clock.ts';
import type { SecretBytes } from '../../model/secret-bytes.ts';
import { clientConfig } from './client-config.ts';
import type { Regional } from '../model/store.ts';
import { limitsAttempts, readsDate, withPlugin } from './plugins.ts';
import type { AwsSettings } from './settings.ts';
import { openTransport } from './transport.ts';

/** Credentials that sign requests. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

/** A service account token, and the role session to exchange it for. */
interface WebIdentity {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly token: SecretBytes;
}

/** Clients that share one connection pool. A client of a store lives as long as its credentials. Disposing closes the connections. */
export interface Clients extends Disposable {
  /** Calls STS in a region. The signal ends only the wait for a free slot; the transport's time-outs end the request. */
  assumeRoleWithWebIdentity(
    { region, limit }: Pick<Regional<unknown>, 'region' | 'limit'>,
    webIdentity: WebIdentity,
    signal: AbortSignal,
  ): Promise<Pick<Credentials, 'accessKeyId' | 'secretAccessKey'> & Partial<Credentials>>;
  secretsManager(region: string, credentials: Credentials): SecretsManagerClient;
  ssm(region: string, credentials: Credentials): SSMClient;
}

/** @param clock is set by the responses */
export function openClients(settings: AwsSettings, clock: ServerClock): Clients {
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
        clientPlugins: [limitsAttempts(limit, signal), readsDate(clock)],
      })(),
    secretsManager: keptWithCredentials((region, credentials) =>
      withPlugin(new SecretsManagerClient({ ...configFor(region, 'secretsManager'), credentials }), readsDate(clock)),
    ),
    ssm: keptWithCredentials((region, credentials) =>
      withPlugin(new SSMClient({ ...configFor(region, 'ssm'), credentials }), readsDate(clock)),
    ),
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
