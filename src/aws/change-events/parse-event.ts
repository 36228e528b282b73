import type { Store } from '../../model/mount-spec.ts';
import { asJsonObject, type JsonObject, parseJsonObject } from '../client/json-object.ts';

/** Something in a store has changed, or may have. */
export interface ChangeEvent {
  readonly store: Store;
  /** Name or ARN. */
  readonly id: string;
  readonly region: string;
}

/** What AWS allows a name or an ARN; a sender may write anything. */
const MAX_ID = 2_048;
/** Of a region's name, amply. */
const MAX_REGION = 64;
/** Characters of a message: EventBridge's events have 256 KiB. */
const MAX_BODY = 256 * 1024;

/** Calls to Secrets Manager that change nothing; ours are among them. */
const READS = /^(?:BatchGet|Get|Describe|List|Validate)/;

/**
 * What a queue's message tells: an event as EventBridge puts it there, by way of an SNS topic or not. Secrets Manager's own event comes
 * when a label moves; where a trail is kept, there are CloudTrail's too.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/secret-event-notifications.html
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/monitoring-eventbridge.html
 * https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-cwe.html
 * @returns nothing for any other text
 */
export function parseChangeEvents(body: string): readonly ChangeEvent[] {
  if (body.length > MAX_BODY) {
    return [];
  }
  const message = parseJsonObject(body);
  const isEnvelope = message['Type'] === 'Notification' && typeof message['Message'] === 'string';
  const event = isEnvelope ? parseJsonObject(String(message['Message'])) : message;
  const { region, source } = event;
  const id = source === 'aws.ssm' ? changedParameter(event) : changedSecret(event);
  if (
    typeof region !== 'string' ||
    typeof id !== 'string' ||
    id === '' ||
    id.length > MAX_ID ||
    region.length > MAX_REGION
  ) {
    return [];
  }
  if (source === 'aws.ssm') {
    return [{ store: 'ssmparameter', id, region }];
  }
  return source === 'aws.secretsmanager' ? [{ store: 'secretsmanager', id, region }] : [];
}

function changedParameter(event: JsonObject): unknown {
  return event['detail-type'] === 'Parameter Store Change' ? asJsonObject(event['detail'])['name'] : undefined;
}

function changedSecret(event: JsonObject): unknown {
  const detail = asJsonObject(event['detail']);
  switch (event['detail-type']) {
    case 'Secret Label Updated':
      return detail['name'];
    case 'AWS API Call via CloudTrail':
      return detail['errorCode'] === undefined && !READS.test(String(detail['eventName']))
        ? asJsonObject(detail['requestParameters'])['secretId']
        : undefined;
    case 'AWS Service Event via CloudTrail':
      return detail['eventName'] === 'RotationSucceeded' ? rotatedSecret(detail) : undefined;
    default:
      return undefined;
  }
}

/** Documented nowhere, and seen in both places. */
function rotatedSecret(detail: JsonObject): unknown {
  return (
    asJsonObject(detail['additionalEventData'])['SecretId'] ?? asJsonObject(detail['serviceEventDetails'])['secretId']
  );
}
