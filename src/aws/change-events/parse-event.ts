import type { Store } from '../../model/mount-spec.ts';
import { asJsonObject, type JsonObject, parseJsonObject } from '../client/json-object.ts';

/** An object of a store has changed, or may have changed. */
export interface ChangeEvent {
  readonly store: Store;
  /** Name or ARN. */
  readonly id: string;
  readonly region: string;
}

/** Maximum length of a name or ARN in AWS. Senders may write anything. */
const MAX_ID = 2_048;
/** Longer than any name of a region. */
const MAX_REGION = 64;
/** Maximum characters of a message; an EventBridge event has at most 256 KiB. */
const MAX_BODY = 256 * 1024;

const STORES: ReadonlyMap<unknown, Store> = new Map([
  ['aws.ssm', 'ssmparameter'],
  ['aws.secretsmanager', 'secretsmanager'],
]);

/** Read-only calls to Secrets Manager, including our own. */
const READS = /^(?:BatchGet|Get|Describe|List|Validate)/;

/**
 * Parses a message of the queue: an event of EventBridge, directly or through an SNS topic. Secrets Manager sends an event of its own when a label moves;
 * with a trail there are events of CloudTrail as well.
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/secret-event-notifications.html
 * https://docs.aws.amazon.com/secretsmanager/latest/userguide/monitoring-eventbridge.html
 * https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-cwe.html
 * @returns no events for any other text
 */
export function parseChangeEvents(body: string): readonly ChangeEvent[] {
  if (body.length > MAX_BODY) {
    return [];
  }
  const message = parseJsonObject(body);
  const isEnvelope = message['Type'] === 'Notification' && typeof message['Message'] === 'string';
  const event = isEnvelope ? parseJsonObject(String(message['Message'])) : message;
  const { region } = event;
  const store = STORES.get(event['source']);
  const id = store === 'ssmparameter' ? changedParameter(event) : changedSecret(event);
  return store !== undefined && isName(id, MAX_ID) && isName(region, MAX_REGION) ? [{ store, id, region }] : [];
}

function isName(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxLength;
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

/** Undocumented; the ARN was observed in both fields. */
function rotatedSecret(detail: JsonObject): unknown {
  return (
    asJsonObject(detail['additionalEventData'])['SecretId'] ?? asJsonObject(detail['serviceEventDetails'])['secretId']
  );
}
