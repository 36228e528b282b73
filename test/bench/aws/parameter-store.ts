import { AWS_ACCOUNT, REGION } from '../accounts.ts';
import { ownerOf, secretVersion } from '../secrets.ts';
import { ApiError } from './api-error.ts';
import type { CloudState } from './state.ts';

/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html */
const MAX_NAMES = 10;

const MODIFIED = 1_767_225_600;

export interface ParameterRequest {
  readonly Names?: readonly string[];
}

/** Parameters come in the order of their names; those that are not there are listed, and one that is forbidden fails the call. */
export function getParameters({ Names: names = [] }: ParameterRequest, state: CloudState, role: string): object {
  if (names.length === 0 || names.length > MAX_NAMES) {
    throw new ApiError('ValidationException', `Names must have 1 to ${MAX_NAMES} entries`);
  }
  const found: object[] = [];
  const invalid: string[] = [];
  for (const asked of names.toSorted()) {
    const [name = '', selector] = asked.split(':');
    const owner = ownerOf(name);
    const version = Number(selector ?? state.generation + 1);
    if (owner === undefined || !(version >= 1 && version <= state.generation + 1)) {
      invalid.push(asked);
      continue;
    }
    if (owner !== role) {
      throw new ApiError(
        'AccessDeniedException',
        `User: arn:aws:sts::${AWS_ACCOUNT}:assumed-role/${role}/session is not authorized to perform: ssm:GetParameters on resource: ${name} because no identity-based policy allows the ssm:GetParameters action`,
      );
    }
    found.push({
      ARN: `arn:aws:ssm:${REGION}:${AWS_ACCOUNT}:parameter${name}`,
      DataType: 'text',
      LastModifiedDate: MODIFIED,
      Name: name,
      ...(selector !== undefined && { Selector: `:${selector}` }),
      Type: 'SecureString',
      Value: secretVersion(name, version - 1, state.settings.secretBytes).value,
      Version: version,
    });
  }
  return { Parameters: found, InvalidParameters: invalid };
}
