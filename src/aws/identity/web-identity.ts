import { bare } from '../../text/quote.ts';
import { ProviderError } from '../../model/errors.ts';
import type { SecretBytes } from '../../model/secret-bytes.ts';
import { unlessAborted } from '../../concurrency/cancellation.ts';
import type { Clients, Credentials } from '../client/clients.ts';
import { awsError } from '../errors/aws-error.ts';
import type { RoleIdentity } from '../model/identity.ts';
import { sessionName } from './session-name.ts';
import type { Regional } from '../model/store.ts';

/**
 * IRSA: exchanges a service account token for credentials of its role.
 * @throws ProviderError
 */
export async function assumeRoleWithWebIdentity(
  identity: RoleIdentity,
  token: SecretBytes,
  { client, region, limit }: Regional<Pick<Clients, 'assumeRoleWithWebIdentity'>>,
  signal: AbortSignal,
): Promise<Credentials> {
  const { roleArn, namespace, serviceAccount } = identity;
  const webIdentity = { roleArn, sessionName: sessionName(namespace, serviceAccount), token };
  const call = {
    doing: `Failed to assume role ${bare(roleArn)}`,
    action: 'sts:AssumeRoleWithWebIdentity',
    resource: roleArn,
    region,
    identity,
  } as const;
  try {
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = await unlessAborted(
      client.assumeRoleWithWebIdentity({ region, limit }, webIdentity, signal),
      signal,
    );
    if (sessionToken === undefined || expiration === undefined) {
      throw new ProviderError('StoreUnavailable', 'STS answered without credentials');
    }
    return { accessKeyId, secretAccessKey, sessionToken, expiration };
  } catch (error) {
    throw awsError(error, call, signal);
  }
}
