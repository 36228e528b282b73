import {
  GetSecretValueCommand,
  type GetSecretValueResponse,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { ProviderError } from '../errors.ts';
import type { FetchedObject, FetchOutcome } from '../mount/mount.ts';
import { SecretBytes } from '../secret-bytes.ts';
import { awsError } from './errors.ts';
import { secretResource } from './policy-resource.ts';
import type { Outcomes, StoreAccess, StoreRequest } from './store.ts';

export async function fetchSecrets(
  requests: readonly StoreRequest[],
  access: StoreAccess<SecretsManagerClient>,
  signal: AbortSignal,
): Promise<Outcomes> {
  return new Map(
    await Promise.all(
      requests.map(async (request) => [request.object, await fetchSecret(request, access, signal)] as const),
    ),
  );
}

async function fetchSecret(
  { object, source }: StoreRequest,
  { client, region, identity, limit }: StoreAccess<SecretsManagerClient>,
  signal: AbortSignal,
): Promise<FetchOutcome> {
  const command = new GetSecretValueCommand({
    SecretId: source.name,
    ...(source.version !== undefined && { VersionId: source.version }),
    ...(source.label !== undefined && { VersionStage: source.label }),
  });
  const call = {
    doing: `Failed fetching secret ${source.name}`,
    object: object.name,
    action: 'secretsmanager:GetSecretValue',
    resource: secretResource(source.name, region, identity),
    region,
    identity,
  } as const;
  try {
    const response = await limit(() => client.send(command, { abortSignal: signal }), signal);
    return fetchedSecret(object, region, response);
  } catch (error) {
    return awsError(error, call, signal);
  }
}

function fetchedSecret(
  object: FetchedObject['object'],
  region: string,
  response: GetSecretValueResponse,
): FetchOutcome {
  const { SecretString, SecretBinary, VersionId } = response;
  const value =
    SecretString === undefined ? SecretBinary && new SecretBytes(SecretBinary) : SecretBytes.fromText(SecretString);
  return value === undefined || VersionId === undefined
    ? new ProviderError('ObjectRefused', `Failed fetching secret ${object.name}: ${region}: it holds no value`, {
        object: object.name,
      })
    : { object, region, version: VersionId, value };
}
