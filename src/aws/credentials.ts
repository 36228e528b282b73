import type { MountSpec, PodRef } from '../spec/mount-spec.ts';
import { POD_IDENTITY_AUDIENCE, STS_AUDIENCE, tokenFor } from '../spec/tokens.ts';
import type { Clients, Credentials } from './clients.ts';
import type { AgentIdentity, Identity, RoleIdentity } from './identity.ts';
import { credentialsFromAgent } from './pod-identity.ts';
import type { AwsSettings } from './settings.ts';
import type { Regional } from './store.ts';
import { assumeRoleWithWebIdentity } from './web-identity.ts';

export interface CredentialDeps {
  readonly settings: AwsSettings;
  /** ARN of the role that the pod's service account names. @throws ProviderError */
  roleOf(pod: PodRef, signal: AbortSignal): Promise<string>;
  sts(region: string): Regional<Pick<Clients, 'assumeRoleWithWebIdentity'>>;
}

/** A pod, as AWS knows it. */
export interface Authenticated {
  readonly identity: Identity;
  /** Credentials good in every region; where STS gives them, the region is whose STS to ask. @throws ProviderError */
  readonly credentialsIn: (region: string) => Promise<Credentials>;
}

/** @throws ProviderError */
export async function authenticate(spec: MountSpec, deps: CredentialDeps, signal: AbortSignal): Promise<Authenticated> {
  const { authentication, pod, tokens } = spec;
  if (authentication.kind === 'irsa') {
    const token = tokenFor(tokens, STS_AUDIENCE);
    const roleArn = await deps.roleOf(pod, signal);
    const { namespace, serviceAccount } = pod;
    const identity: RoleIdentity = { kind: 'irsa', roleArn, namespace, serviceAccount };
    return {
      identity,
      credentialsIn: (region) => assumeRoleWithWebIdentity(identity, token, deps.sts(region), signal),
    };
  }
  const token = tokenFor(tokens, POD_IDENTITY_AUDIENCE);
  const identity: AgentIdentity = { kind: 'pod-identity', pod };
  // Before any region is asked: an agent that is down is no reason to ask the second one.
  const credentials = await credentialsFromAgent(identity, token, authentication.addressType, deps.settings, signal);
  return { identity, credentialsIn: () => Promise.resolve(credentials) };
}
