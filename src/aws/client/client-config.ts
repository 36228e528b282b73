import type { SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';
import type { AwsSettings } from './settings.ts';
import type { Transport } from './transport.ts';

/**
 * What is the same for the client of any service. Says everything that the SDK would else look for in the environment, in shared config
 * files or at the instance metadata service.
 * @param endpoint base URL; absent means AWS's own of the region
 */
export function clientConfig(
  settings: AwsSettings,
  { requestHandler }: Transport,
  { region, endpoint }: { readonly region: string; readonly endpoint: string | undefined },
) {
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
