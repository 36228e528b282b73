import { accountOf, type Identity } from '../model/identity.ts';

/** A secret's ARN for an IAM policy. The full ARN ends with six characters that AWS adds. */
export function secretResource(name: string, region: string, identity: Identity): string {
  return name.startsWith('arn:') ? name : `${prefix('secretsmanager', region, identity)}:secret:${name}-??????`;
}

/** A parameter's ARN for an IAM policy: without version or label, and without a second slash. */
export function parameterResource(base: string, region: string, identity: Identity): string {
  return base.startsWith('arn:') ? base : `${prefix('ssm', region, identity)}:parameter/${base.replace(/^\//, '')}`;
}

function prefix(service: string, region: string, identity: Identity): string {
  return `arn:${partitionOf(region)}:${service}:${region}:${accountOf(identity) ?? '*'}`;
}

/** Partitions by the prefixes of their regions. */
const PARTITIONS = {
  'cn-': 'aws-cn',
  'us-gov-': 'aws-us-gov',
  'us-iso-': 'aws-iso',
  'us-isob-': 'aws-iso-b',
  'eu-isoe-': 'aws-iso-e',
  'us-isof-': 'aws-iso-f',
  'eusc-': 'aws-eusc',
} as const;

function partitionOf(region: string): string {
  return Object.entries(PARTITIONS).find(([beginning]) => region.startsWith(beginning))?.[1] ?? 'aws';
}
