import type { AwsSettings } from '../client/settings.ts';

/** Region and endpoint of a queue. */
export interface QueueAddress {
  readonly region: string;
  /** Base URL; absent: AWS's endpoint of the region. */
  readonly endpoint: string | undefined;
}

/**
 * Takes the endpoint from the queue's URL, which may be a VPC endpoint, unless the settings name another.
 * https://docs.aws.amazon.com/general/latest/gr/sqs-service.html
 */
export function queueAddress(
  queueUrl: string,
  settings: Pick<AwsSettings, 'endpoints' | 'useFipsEndpoint' | 'useDualstackEndpoint'>,
): QueueAddress {
  const { origin, hostname } = new URL(queueUrl);
  const region = hostname.split('.').find((label) => /^[a-z]{2,}(?:-[a-z]+)+-\d+$/.test(label));
  const isAwsOwn = settings.useFipsEndpoint || settings.useDualstackEndpoint;
  return {
    // The one address of AWS's without a region is queue.amazonaws.com.
    region: region ?? 'us-east-1',
    endpoint: settings.endpoints.sqs ?? (isAwsOwn ? undefined : origin),
  };
}
