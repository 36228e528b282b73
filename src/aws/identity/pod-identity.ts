import type { Clock } from '../../concurrency/clock.ts';
import { ProviderError } from '../../model/errors.ts';
import type { SecretBytes } from '../../model/secret-bytes.ts';
import type { AddressType } from '../../model/mount-spec.ts';
import { type AgentAnswer, getFromAgent } from './agent-request.ts';
import type { Credentials } from '../client/clients.ts';
import { failureOf } from '../errors/aws-error.ts';
import { oneLine } from '../errors/fault.ts';
import { parseJsonObject } from '../client/json-object.ts';
import { type AgentIdentity, describeIdentity } from '../model/identity.ts';
import type { AwsSettings } from '../client/settings.ts';
import type { Limit } from '../model/store.ts';

const BACKOFF_MS = 200;

interface AgentAccess {
  readonly addressType: AddressType;
  readonly limit: Limit;
  readonly settings: AwsSettings;
  readonly clock: Clock;
}

/**
 * EKS Pod Identity: exchanges a pod's token for credentials of its association.
 * @throws ProviderError
 */
export async function credentialsFromAgent(
  identity: AgentIdentity,
  token: SecretBytes,
  access: AgentAccess,
  signal: AbortSignal,
): Promise<Credentials> {
  const { limit, settings, clock } = access;
  const secret = token.exposeText();
  try {
    for (let attempt = 1; ; attempt += 1) {
      const { status, body } = await limit(() => askAgent(secret, access, signal), signal);
      if (status === 200) {
        return parseCredentials(body);
      }
      const retryable = status === 429 || status >= 500;
      if (!retryable || attempt >= settings.maxAttempts) {
        throw refusal(identity, status, oneLine(body.replaceAll(secret, '[token]')));
      }
      await clock.sleep(Math.random() * BACKOFF_MS * 2 ** attempt, signal);
    }
  } catch (error) {
    throw failureOf(error, signal);
  }
}

/** Uses the first address that responds: `auto` tries IPv6 only if IPv4 does not respond. */
async function askAgent(
  token: string,
  { addressType, settings, clock }: AgentAccess,
  signal: AbortSignal,
): Promise<AgentAnswer> {
  const { ipv4, ipv6, timeoutMs } = settings.podIdentity;
  const bases = { ipv4: [ipv4], ipv6: [ipv6], auto: [ipv4, ipv6] }[addressType];
  const unreachable: string[] = [];
  for (const base of bases) {
    const timeout = clock.timeout(timeoutMs);
    try {
      return await getFromAgent(base, token, AbortSignal.any([signal, timeout]));
    } catch (error) {
      signal.throwIfAborted();
      unreachable.push(`${base}: ${timeout.aborted ? `no answer in ${timeoutMs} ms` : oneLine(String(error))}`);
    }
  }
  throw new ProviderError(
    'StoreUnavailable',
    `The EKS Pod Identity agent does not answer (${unreachable.join('; ')}): is the eks-pod-identity-agent add-on running on this node, and does preferredAddressType fit?`,
  );
}

function refusal(identity: AgentIdentity, status: number, text: string): ProviderError {
  const message = `The EKS Pod Identity agent gave no credentials: ${status}: ${text} (${describeIdentity(identity)})`;
  if (status === 429) {
    return new ProviderError('Throttled', `${message}: the EKS Auth API limits the calls of this account`);
  }
  return status >= 500
    ? new ProviderError('StoreUnavailable', `${message}: see the log of the eks-pod-identity-agent on this node`)
    : new ProviderError(
        'CredentialsRefused',
        `${message}: create a Pod Identity association of this service account, with a role that trusts pods.eks.amazonaws.com`,
      );
}

function parseCredentials(body: string): Credentials {
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = parseJsonObject(body);
  const expiration = new Date(typeof Expiration === 'string' ? Expiration : Number.NaN);
  if (
    typeof AccessKeyId !== 'string' ||
    typeof SecretAccessKey !== 'string' ||
    typeof Token !== 'string' ||
    Number.isNaN(expiration.getTime())
  ) {
    throw new ProviderError('StoreUnavailable', 'The EKS Pod Identity agent returned a response without credentials');
  }
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token, expiration };
}
