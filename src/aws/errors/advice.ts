import type { AwsCall } from './call.ts';
import type { Fault } from './fault.ts';
import type { RoleIdentity } from '../model/identity.ts';
import { type AwsReason, bareCode } from './reasons.ts';

/** The remedy for a failure, as the end of its message. */
export function remedy(fault: Fault, reason: AwsReason, call: AwsCall): string {
  return REMEDIES[reason](fault, call);
}

const REMEDIES: Readonly<Record<AwsReason, (fault: Fault, call: AwsCall) => string>> = {
  AccessDenied: permission,
  CredentialsRefused: (fault, { identity, action }) =>
    identity.kind === 'irsa' && action.startsWith('sts:')
      ? trust(fault, identity)
      : 'the session is not or no longer valid: if this lasts, check the clock of the node',
  ObjectNotFound: (_, { region }) =>
    `check its name, version and label, and that it is in ${region}; for another account, set its ARN`,
  ObjectRefused: refusal,
  Throttled: (_, { action, region }) =>
    action.startsWith('ssm:')
      ? `enable higher throughput for Parameter Store in ${region}, or mount fewer objects at once`
      : `the account's request quota in ${region} is used up: mount fewer objects at once`,
  StoreUnavailable: outage,
};

function permission({ text }: Fault, { action, resource }: AwsCall): string {
  const denied = /perform: (?<action>\S+) on (?:the )?resource: (?<resource>\S+)/.exec(text)?.groups;
  const deniedAction = denied?.['action'] ?? (/\bkms\b|ciphertext/i.test(text) ? 'kms:Decrypt' : action);
  // AWS repeats the resource as it was requested: it may be a bare name, which is not valid in a policy.
  const named = denied?.['resource']?.startsWith('arn:') ? denied['resource'] : undefined;
  const on = named ?? (deniedAction.startsWith('kms:') ? "the object's KMS key" : resource);
  return /explicit deny/.test(text)
    ? `remove the explicit deny of ${deniedAction} on ${on}`
    : `allow ${deniedAction} on ${on} in a policy of this role`;
}

function trust(fault: Fault, identity: RoleIdentity): string {
  const { text } = fault;
  const code = bareCode(fault);
  const subject = `system:serviceaccount:${identity.namespace}:${identity.serviceAccount}`;
  if (code === 'ExpiredToken') {
    return 'the token that the driver sent has expired: its CSIDriver object needs requiresRepublish';
  }
  if (/audience/i.test(text)) {
    return 'audience sts.amazonaws.com must be in the tokenRequests of the CSIDriver object and in the IAM OIDC provider of the cluster';
  }
  if (code === 'InvalidIdentityToken') {
    return "the role's account needs an IAM OIDC provider for the issuer of this cluster";
  }
  if (code === 'RegionDisabled') {
    return 'activate STS for this region in the account';
  }
  return `the role must exist, and its trust policy must allow sts:AssumeRoleWithWebIdentity to ${subject} with audience sts.amazonaws.com`;
}

function refusal({ code, text }: Fault): string {
  if (/marked.*delet/i.test(text)) {
    return 'restore it, or remove it from the class';
  }
  return /decrypt|key/i.test(code)
    ? 'its KMS key must be enabled and usable in this region'
    : 'check its name, version and label';
}

/** https://nodejs.org/docs/latest-v24.x/api/tls.html#x509-certificate-error-codes */
const CERTIFICATE_CODES = /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME|SSL/;

function outage({ kind, code }: Fault, { region }: AwsCall): string {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return `is there a region ${region}, and does the node's DNS work?`;
  }
  if (CERTIFICATE_CODES.test(code)) {
    return 'AWS_CA_BUNDLE must contain the CA of the proxy between this node and AWS';
  }
  return kind === 'answer'
    ? `an outage of ${region}: wait for its end, or set a failoverRegion`
    : `check the network between the node and AWS in ${region}: routes, VPC endpoints, security groups, proxies`;
}
