import { AWS_ACCOUNT, REGION } from '../accounts.ts';
import { ownerOf, type SecretVersion, secretVersion } from '../secrets.ts';
import { ApiError } from './api-error.ts';
import type { CloudState } from './state.ts';

/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html */
const MAX_BATCH = 20;

const CREATED = 1_767_225_600;

export interface SecretRequest {
  readonly SecretId?: string;
  readonly SecretIdList?: readonly string[];
  readonly VersionId?: string;
  readonly VersionStage?: string;
}

interface LabelledVersion extends SecretVersion {
  readonly stage: 'AWSCURRENT' | 'AWSPREVIOUS';
}

/** @param role who asks */
export function getSecretValue(request: SecretRequest, state: CloudState, role: string): object {
  const { SecretId: name = '', VersionId, VersionStage } = request;
  refuseUnlessReadable(name, role);
  const wanted = versionsOf(name, state).find(
    ({ id, stage }) =>
      (VersionId ?? id) === id && (VersionStage ?? (VersionId === undefined ? 'AWSCURRENT' : stage)) === stage,
  );
  if (wanted === undefined) {
    throw new ApiError(
      'ResourceNotFoundException',
      `Secrets Manager can't find the specified secret value for ${VersionId === undefined ? 'staging label' : 'VersionId'}: ${VersionId ?? VersionStage}`,
    );
  }
  return {
    ARN: arnOf(name),
    CreatedDate: CREATED,
    Name: name,
    SecretString: wanted.value,
    VersionId: wanted.id,
    VersionStages: [wanted.stage],
  };
}

/** Answers 200 whatever became of each secret. */
export function batchGetSecretValue(request: SecretRequest, state: CloudState, role: string): object {
  const names = request.SecretIdList ?? [];
  if (names.length === 0 || names.length > MAX_BATCH) {
    throw new ApiError('ValidationException', `SecretIdList must have 1 to ${MAX_BATCH} entries`);
  }
  const values: object[] = [];
  const errors: object[] = [];
  for (const name of names) {
    try {
      values.push(getSecretValue({ SecretId: name }, state, role));
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      errors.push({ SecretId: name, ErrorCode: error.code, Message: error.message });
    }
  }
  return { SecretValues: values, Errors: errors };
}

function versionsOf(name: string, { generation, settings }: CloudState): readonly LabelledVersion[] {
  const current = { ...secretVersion(name, generation, settings.secretBytes), stage: 'AWSCURRENT' } as const;
  return generation === 0
    ? [current]
    : [current, { ...secretVersion(name, generation - 1, settings.secretBytes), stage: 'AWSPREVIOUS' }];
}

/** IAM refuses before it says whether there is such a secret. */
function refuseUnlessReadable(name: string, role: string): void {
  const owner = ownerOf(name);
  if (owner === undefined) {
    throw new ApiError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
  }
  if (owner !== role) {
    throw new ApiError(
      'AccessDeniedException',
      `User: arn:aws:sts::${AWS_ACCOUNT}:assumed-role/${role}/session is not authorized to perform: secretsmanager:GetSecretValue on resource: ${name} because no identity-based policy allows the secretsmanager:GetSecretValue action`,
    );
  }
}

function arnOf(name: string): string {
  return `arn:aws:secretsmanager:${REGION}:${AWS_ACCOUNT}:secret:${name}-AbCdEf`;
}
