import { AssumeRoleWithWebIdentityCommand, type STSClient } from '@aws-sdk/client-sts';
import { ProviderError } from '../errors.ts';
import type { SecretBytes } from '../secret-bytes.ts';
import type { Credentials } from './clients.ts';
import { awsError } from './errors.ts';
import type { RoleIdentity } from './identity.ts';
import { sessionName } from './session-name.ts';
import type { Regional } from './store.ts';

/**
 * IRSA: a service account's token for credentials of its role.
 * @throws ProviderError
 */
export async function assumeRoleWithWebIdentity(
  identity: RoleIdentity,
  token: SecretBytes,
  { client, region, limit }: Regional<STSClient>,
  signal: AbortSignal,
): Promise<Credentials> {
  const { roleArn, namespace, serviceAccount } = identity;
  const command = new AssumeRoleWithWebIdentityCommand({
    RoleArn: roleArn,
    RoleSessionName: sessionName(namespace, serviceAccount),
    WebIdentityToken: token.exposeText(),
  });
  const call = {
    doing: `Failed to assume role ${roleArn}`,
    action: 'sts:AssumeRoleWithWebIdentity',
    resource: roleArn,
    region,
    identity,
  } as const;
  try {
    const { Credentials: given } = await limit(() => client.send(command, { abortSignal: signal }), signal);
    return {
      accessKeyId: required(given?.AccessKeyId),
      secretAccessKey: required(given?.SecretAccessKey),
      sessionToken: required(given?.SessionToken),
      expiration: required(given?.Expiration),
    };
  } catch (error) {
    throw awsError(error, call, signal);
  }
}

function required<Value>(value: Value | undefined): Value {
  if (value === undefined) {
    throw new ProviderError('StoreUnavailable', 'STS answered without credentials');
  }
  return value;
}
