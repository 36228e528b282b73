import type { YamlText } from './go/go-yaml.ts';
import type { Store } from '../model/mount-spec.ts';
import type { Report } from './object-fields.ts';
import { bare, quote } from '../text/quote.ts';

/** Stores by the service in their ARNs. */
const STORE_BY_SERVICE: ReadonlyMap<string, Store> = new Map([
  ['secretsmanager', 'secretsmanager'],
  ['ssm', 'ssmparameter'],
]);
const STORES: readonly string[] = [...STORE_BY_SERVICE.values()];

/**
 * Determines the store of an object from its type or its ARN. The region is never taken from an ARN, so it must match.
 * @param region undefined if it is not known: then it is not compared
 * @returns undefined if a problem was reported
 */
export function storeOf(
  name: YamlText,
  type: YamlText | undefined,
  region: string | undefined,
  report: Report,
): Store | undefined {
  const arn = name.text.startsWith('arn:') ? name.text.split(':') : undefined;
  if (arn !== undefined && arn.length < 6) {
    report(
      `Invalid ARN format: ${quote(name.text)} is not arn:<partition>:<service>:<region>:<account>:<resource>`,
      name.offset,
    );
    return undefined;
  }
  const [, , service = '', arnRegion = ''] = arn ?? [];
  if (arn !== undefined && region !== undefined && arnRegion !== region) {
    report(
      `ARN region must match region ${bare(region)}, not ${quote(arnRegion)}: correct the ARN, or the class's region or failoverRegion`,
      name.offset,
    );
    return undefined;
  }
  if (type === undefined) {
    return storeOfService(arn === undefined ? undefined : service, name, report);
  }
  if (!isStore(type.text)) {
    report(`Invalid objectType: ${bare(type.text)}: write ${STORES.join(' or ')}`, type.offset);
    return undefined;
  }
  if (arn !== undefined && STORE_BY_SERVICE.get(service) !== type.text) {
    report(`objectType ${type.text} does not match ARN ${quote(name.text)}`, type.offset);
    return undefined;
  }
  return type.text;
}

function storeOfService(service: string | undefined, name: YamlText, report: Report): Store | undefined {
  if (service === undefined) {
    report(`Must use objectType (${STORES.join(' or ')}) when objectName is not a full ARN`, name.offset);
    return undefined;
  }
  const store = STORE_BY_SERVICE.get(service);
  if (store === undefined) {
    const services = [...STORE_BY_SERVICE.keys()].join(' and ');
    report(`Invalid service in ARN: ${bare(service)}: use ${services}`, name.offset);
  }
  return store;
}

function isStore(text: string): text is Store {
  return STORES.includes(text);
}
