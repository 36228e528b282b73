import type { SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';
import type { AwsSettings } from './settings.ts';
import type { Transport } from './transport.ts';

/**
 * The configuration that all service clients share. It sets everything that the SDK would otherwise read from the environment, from shared config files
 * or from the instance metadata service.
 * @param endpoint base URL; absent: AWS's endpoint of the region
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
    // The SDK rejects a custom endpoint together with these two options.
    useFipsEndpoint: endpoint === undefined && settings.useFipsEndpoint,
    useDualstackEndpoint: endpoint === undefined && settings.useDualstackEndpoint,
    ...(endpoint !== undefined && { endpoint }),
  } satisfies SecretsManagerClientConfig;
}
