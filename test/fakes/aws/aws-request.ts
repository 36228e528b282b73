import type { IncomingMessage } from 'node:http';

type Service = 'sts' | 'secretsmanager' | 'ssm' | 'unknown';

/** A request to AWS, with the fields that policies and faults match. */
export interface AwsRequest {
  readonly service: Service;
  /** IAM action, e.g. `secretsmanager:GetSecretValue`. */
  readonly action: string;
  /** From the signature's scope; of an unsigned request, from its host name. */
  readonly region: string;
  readonly accessKey: string | undefined;
  /** Names or ARNs, as requested. */
  readonly resources: readonly string[];
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

const SERVICES: Readonly<Record<string, Service>> = { secretsmanager: 'secretsmanager', AmazonSSM: 'ssm' };

export function readAwsRequest({ headers }: IncomingMessage, body: Buffer): AwsRequest {
  const [, accessKey, scopeRegion] = /Credential=([^/]+)\/\d+\/([^/]+)\//.exec(headers.authorization ?? '') ?? [];
  const [, hostRegion] = /^[a-z-]+\.([a-z0-9-]+)\./.exec(headers.host ?? '') ?? [];
  const region = scopeRegion ?? hostRegion ?? 'unknown';
  const [target, operation] = String(headers['x-amz-target'] ?? '').split('.');
  if (operation === undefined) {
    const parameters = Object.fromEntries(new URLSearchParams(body.toString()));
    const action = `sts:${parameters['Action'] ?? 'unknown'}`;
    return { service: 'sts', action, region, accessKey, resources: strings(parameters['RoleArn']), parameters, body };
  }
  const service = SERVICES[target ?? ''] ?? 'unknown';
  const parameters = JSON.parse(body.toString()) as Record<string, unknown>;
  const { SecretId, SecretIdList, Name, Names } = parameters;
  const resources = [SecretId, SecretIdList, Name, Names].flatMap(strings);
  return { service, action: `${service}:${operation}`, region, accessKey, resources, parameters, body };
}

function strings(value: unknown): string[] {
  return [value].flat().filter((item) => typeof item === 'string');
}
