import { bare } from '../../text/quote.ts';
import {
  BatchGetSecretValueCommand,
  GetSecretValueCommand,
  type GetSecretValueResponse,
  type SecretsManagerClient,
  type SecretValueEntry,
} from '@aws-sdk/client-secrets-manager';
import { ProviderError } from '../../model/errors.ts';
import { SecretBytes } from '../../model/secret-bytes.ts';
import type { AwsCall } from '../errors/call.ts';
import { awsError } from '../errors/aws-error.ts';
import { batchesOf } from './batches.ts';
import { inTurn } from '../client/in-turn.ts';
import { secretResource } from './policy-resource.ts';
import type { Answer, Answers, StoreAccess, StoreRequest } from '../model/store.ts';

/** Maximum number of secrets in one call of BatchGetSecretValue. */
const BATCH_SIZE = 20;

type Access = StoreAccess<SecretsManagerClient>;

/** Uses as few calls as the identity's permissions allow. Requests must be distinct. */
export async function fetchSecrets(
  requests: readonly StoreRequest[],
  access: Access,
  signal: AbortSignal,
): Promise<Answers> {
  const batches = batchesOf(requests.filter(isBatchable), BATCH_SIZE).filter((batch) => batch.length > 1);
  const batched = await Promise.all(batches.map((batch) => fetchBatch(batch, access, signal)));
  const answers = new Map(batched.flatMap((some) => [...some]));
  const singly = requests.filter((request) => !answers.has(request));
  const single = singly.map(async (request) => [request, await fetchOne(request, access, signal)] as const);
  return new Map([...answers, ...(await Promise.all(single))]);
}

/** The batch call supports no versions and stages. */
function isBatchable({ source }: StoreRequest): boolean {
  return source.version === undefined && source.label === undefined;
}

/**
 * @returns the secrets that the batch call returned. All others need GetSecretValue: every secret if the identity may not use the batch call; otherwise those
 * with a partial ARN, those of other accounts, and those that failed, because the errors of the batch call tell less
 */
async function fetchBatch(requests: readonly StoreRequest[], access: Access, signal: AbortSignal): Promise<Answers> {
  if (access.deniedActions.has('secretsmanager:BatchGetSecretValue')) {
    return new Map();
  }
  const command = new BatchGetSecretValueCommand({ SecretIdList: requests.map(({ source }) => source.name) });
  try {
    const { client, limit } = access;
    const { SecretValues = [] } = await client.send(inTurn(command, limit, signal), { abortSignal: signal });
    return new Map(
      requests.flatMap((request): [StoreRequest, Answer][] => {
        const { name } = request.source;
        const entry = SecretValues.find(({ ARN, Name }) => ARN === name || Name === name);
        return entry === undefined ? [] : [[request, found(request, access, entry)]];
      }),
    );
  } catch (thrown) {
    const [first] = requests;
    if (first === undefined) {
      return new Map();
    }
    const { reason } = awsError(thrown, callFor(first, access), signal);
    if (reason === 'AccessDenied') {
      access.deniedActions.add('secretsmanager:BatchGetSecretValue');
      return new Map();
    }
    // If the call is refused or throttled, single calls may still succeed: an account may make 100 batch calls per second, but 10,000 single ones.
    // Any other error would affect the single calls as well.
    return reason === 'ObjectRefused' || reason === 'ObjectNotFound' || reason === 'Throttled'
      ? new Map()
      : new Map(requests.map((request) => [request, awsError(thrown, callFor(request, access), signal)]));
  }
}

async function fetchOne(request: StoreRequest, access: Access, signal: AbortSignal): Promise<Answer> {
  const { source } = request;
  const { client, limit } = access;
  const command = new GetSecretValueCommand({
    SecretId: source.name,
    ...(source.version !== undefined && { VersionId: source.version }),
    ...(source.label !== undefined && { VersionStage: source.label }),
  });
  try {
    return found(request, access, await client.send(inTurn(command, limit, signal), { abortSignal: signal }));
  } catch (error) {
    return awsError(error, callFor(request, access), signal);
  }
}

function found(
  request: StoreRequest,
  access: Access,
  {
    SecretString,
    SecretBinary,
    VersionId,
  }: Pick<GetSecretValueResponse | SecretValueEntry, 'SecretString' | 'SecretBinary' | 'VersionId'>,
): Answer {
  const value =
    SecretString === undefined ? SecretBinary && new SecretBytes(SecretBinary) : SecretBytes.fromText(SecretString);
  if (value !== undefined && VersionId !== undefined) {
    return { version: VersionId, value };
  }
  const { doing, object } = callFor(request, access);
  return new ProviderError('ObjectRefused', `${doing}: ${access.region}: it holds no value`, { object });
}

function callFor(
  { object, source }: StoreRequest,
  { region, identity }: Pick<Access, 'region' | 'identity'>,
): AwsCall & { readonly object: string } {
  return {
    doing: `Failed fetching secret ${bare(source.name)}`,
    object: object.name,
    action: 'secretsmanager:GetSecretValue',
    resource: secretResource(source.name, region, identity),
    region,
    identity,
  };
}
