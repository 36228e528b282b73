import { bare } from '../../text/quote.ts';
import {
  BatchGetSecretValueCommand,
  GetSecretValueCommand,
  type GetSecretValueResponse,
  type SecretsManagerClient,
  type SecretValueEntry,
} from '@aws-sdk/client-secrets-manager';
import { ProviderError } from '../../model/errors.ts';
import type { FetchedObject, FetchedObjects } from '../../model/fetched-object.ts';
import type { ObjectSource, ObjectSpec } from '../../model/mount-spec.ts';
import { SecretBytes } from '../../model/secret-bytes.ts';
import { awsError } from '../errors/aws-error.ts';
import { batchesOf } from './batches.ts';
import { limited } from '../client/plugins.ts';
import type { DeniedActions } from './denied-actions.ts';
import { secretResource } from './policy-resource.ts';
import type { StoreAccess, StoreRequest } from '../model/store.ts';

/** Maximum number of secrets in one call of BatchGetSecretValue. */
const BATCH_SIZE = 20;

interface Access extends StoreAccess<SecretsManagerClient> {
  readonly deniedActions: DeniedActions;
}

/** Uses as few calls as the identity's permissions allow. Requests must be distinct. */
export async function fetchSecrets(requests: readonly StoreRequest[], access: Access): Promise<FetchedObjects> {
  const batches = batchesOf(requests.filter(isBatchable), BATCH_SIZE).filter((batch) => batch.length > 1);
  const batched = await Promise.all(batches.map((batch) => fetchBatch(batch, access)));
  const fetched = new Map(batched.flatMap((some) => [...some]));
  const singly = requests.filter(({ object }) => !fetched.has(object));
  const single = singly.map(async (request) => [request.object, await fetchOne(request, access)] as const);
  return new Map([...fetched, ...(await Promise.all(single))]);
}

/** The batch call supports no versions and stages. */
function isBatchable({ source }: StoreRequest): boolean {
  return source.version === undefined && source.label === undefined;
}

/**
 * @returns the secrets that the batch call returned. All others need GetSecretValue: every secret if the identity may not use the batch call; otherwise those
 * with a partial ARN, those of other accounts, and those that failed, because the errors of the batch call contain less
 */
async function fetchBatch(requests: readonly StoreRequest[], access: Access): Promise<FetchedObjects> {
  const { client, signal, deniedActions } = access;
  if (deniedActions.has('secretsmanager:BatchGetSecretValue')) {
    return new Map();
  }
  const command = new BatchGetSecretValueCommand({ SecretIdList: requests.map(({ source }) => source.name) });
  try {
    const { SecretValues = [] } = await client.send(limited(command, access), { abortSignal: signal });
    return new Map(
      requests.flatMap((request): [ObjectSpec, FetchedObject | ProviderError][] => {
        const { name } = request.source;
        const entry = SecretValues.find(({ ARN, Name }) => ARN === name || Name === name);
        return entry === undefined ? [] : [[request.object, fetchedFrom(entry, request, access)]];
      }),
    );
  } catch (thrown) {
    const failures = new Map(requests.map((request) => [request.object, secretError(thrown, request, access)]));
    const [reason] = Array.from(failures.values(), (failure) => failure.reason);
    if (reason === 'AccessDenied') {
      deniedActions.add('secretsmanager:BatchGetSecretValue');
      return new Map();
    }
    // If the call is refused or throttled, single calls may still succeed: an account may make 100 batch calls per second, but 10,000 single ones.
    // Any other error would affect the single calls as well.
    return reason === 'ObjectRefused' || reason === 'ObjectNotFound' || reason === 'Throttled' ? new Map() : failures;
  }
}

async function fetchOne(request: StoreRequest, access: Access): Promise<FetchedObject | ProviderError> {
  const { name, version, label } = request.source;
  const { client, signal } = access;
  const command = new GetSecretValueCommand({ SecretId: name, VersionId: version, VersionStage: label });
  try {
    return fetchedFrom(await client.send(limited(command, access), { abortSignal: signal }), request, access);
  } catch (thrown) {
    return secretError(thrown, request, access);
  }
}

function fetchedFrom(
  {
    SecretString,
    SecretBinary,
    VersionId,
  }: Pick<GetSecretValueResponse | SecretValueEntry, 'SecretString' | 'SecretBinary' | 'VersionId'>,
  { object, source }: StoreRequest,
  { askedAt, region }: Access,
): FetchedObject | ProviderError {
  const value =
    SecretString === undefined ? SecretBinary && new SecretBytes(SecretBinary) : SecretBytes.fromText(SecretString);
  if (value !== undefined && VersionId !== undefined) {
    return { version: VersionId, value, confirmedAt: askedAt };
  }
  return new ProviderError('ObjectRefused', `${doing(source)}: ${region}: it has no value`, { object: object.name });
}

function secretError(
  thrown: unknown,
  { object, source }: StoreRequest,
  { region, identity, signal }: Access,
): ProviderError {
  const call = {
    doing: doing(source),
    object: object.name,
    action: 'secretsmanager:GetSecretValue',
    resource: secretResource(source.name, region, identity),
    region,
    identity,
  } as const;
  return awsError(thrown, call, signal);
}

function doing({ name }: ObjectSource): string {
  return `Failed fetching secret ${bare(name)}`;
}
