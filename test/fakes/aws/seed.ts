import {
  CreateSecretCommand,
  DeleteSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { LabelParameterVersionCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';

/** Fills a moto account. A value is text or bytes; each function returns the result of AWS. */
export interface Seed {
  secret(name: string, value: string | Uint8Array): Promise<{ readonly arn: string; readonly version: string }>;
  /** A further version; without stages it becomes AWSCURRENT. */
  secretVersion(name: string, value: string, stages?: readonly string[]): Promise<string>;
  /** Marks it for deletion. */
  deleteSecret(name: string): Promise<void>;
  /** A SecureString, new or a further version. */
  parameter(name: string, value: string, label?: string): Promise<number>;
}

/** Keys of an account of moto, by which it selects the account. */
export async function accountKeys(motoUrl: string, roleArn: string, sessionName: string) {
  const sts = new STSClient({
    region: 'us-east-1',
    endpoint: motoUrl,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: sessionName }));
  return {
    accessKeyId: Credentials!.AccessKeyId!,
    secretAccessKey: Credentials!.SecretAccessKey!,
    sessionToken: Credentials!.SessionToken!,
    expiration: Credentials!.Expiration!,
  };
}

export async function createSeed(motoUrl: string, account: string, region: string): Promise<Seed> {
  const credentials = await accountKeys(motoUrl, `arn:aws:iam::${account}:role/seed`, 'seed');
  const secretsManager = new SecretsManagerClient({ region, endpoint: motoUrl, credentials });
  const ssm = new SSMClient({ region, endpoint: motoUrl, credentials });
  return {
    async secret(name, value) {
      const content = typeof value === 'string' ? { SecretString: value } : { SecretBinary: value };
      const { ARN, VersionId } = await secretsManager.send(new CreateSecretCommand({ Name: name, ...content }));
      return { arn: ARN!, version: VersionId! };
    },
    async secretVersion(name, value, stages) {
      const { VersionId } = await secretsManager.send(
        new PutSecretValueCommand({
          SecretId: name,
          SecretString: value,
          ...(stages !== undefined && { VersionStages: [...stages] }),
        }),
      );
      return VersionId!;
    },
    async deleteSecret(name) {
      await secretsManager.send(new DeleteSecretCommand({ SecretId: name }));
    },
    async parameter(name, value, label) {
      const { Version } = await ssm.send(
        new PutParameterCommand({ Name: name, Value: value, Type: 'SecureString', Overwrite: true }),
      );
      if (label !== undefined) {
        await ssm.send(new LabelParameterVersionCommand({ Name: name, ParameterVersion: Version!, Labels: [label] }));
      }
      return Version!;
    },
  };
}
