import type { AwsSettings } from '../client/settings.ts';

/** What a queue's URL says of where it is. */
export interface QueueAddress {
  readonly region: string;
  /** Base URL to ask; absent means AWS's own of the region. */
  readonly endpoint: string | undefined;
}

/**
 * A queue is asked where its URL says, which may be an endpoint of a VPC, unless the settings say otherwise.
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
