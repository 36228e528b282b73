/** A role of the emulated IAM. */
export interface Role {
  readonly arn: string;
  /** Service accounts, as `namespace/name`, that its trust policy allows. */
  readonly trusts: readonly string[];
  readonly allows: readonly Statement[];
}

export interface Statement {
  /** IAM actions; `*` and `?` as in IAM. */
  readonly actions: readonly string[];
  /** ARNs; `*` and `?` as in IAM. */
  readonly resources: readonly string[];
}

/** A session of a role, which an access key identifies. */
export interface Session {
  readonly role: Role;
  readonly name: string;
}

export function isAllowed({ allows }: Role, action: string, arn: string): boolean {
  return allows.some(
    ({ actions, resources }) =>
      actions.some((pattern) => matches(pattern, action)) && resources.some((pattern) => matches(pattern, arn)),
  );
}

/** IAM's wildcards. */
function matches(pattern: string, text: string): boolean {
  const source = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${source.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's').test(text);
}

export function accountOf(roleArn: string): string {
  return roleArn.split(':')[4] ?? '';
}

/** `arn:aws:sts::…:assumed-role/<role>/<session>`, the user in AWS's denials. */
export function sessionArn({ role, name }: Session): string {
  return `arn:aws:sts::${accountOf(role.arn)}:assumed-role/${role.arn.split('/').at(-1)}/${name}`;
}

/** The resource that a policy is compared with if an object is requested by this name. A secret requested by name has its six characters too. */
export function resourceArn(service: string, name: string, region: string, account: string): string {
  if (name.startsWith('arn:')) {
    return service === 'ssm' ? name.split(':').slice(0, 6).join(':') : name;
  }
  return service === 'ssm'
    ? `arn:aws:ssm:${region}:${account}:parameter/${name.split(':')[0]?.replace(/^\//, '')}`
    : `arn:aws:secretsmanager:${region}:${account}:secret:${name}-AbCdEf`;
}
