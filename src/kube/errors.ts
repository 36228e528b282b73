import { type FailureReason, ProviderError } from '../model/errors.ts';
import { cutText, visible } from '../text/visible-text.ts';
import { RESOURCES } from './resources.ts';
import { type KubeRequest, VERBS } from './request.ts';

/** Longest quotation of the API server in a message. */
const MAX_QUOTE = 400;

/** The fields of a Status object that explain a failure. */
export interface Status {
  readonly message?: unknown;
  readonly reason?: unknown;
  readonly details?: { readonly causes?: readonly { readonly field?: unknown; readonly reason?: unknown }[] };
}

/** The error for a response whose status is neither 2xx nor accepted. */
export function refusal(request: KubeRequest, status: number, answer: Status): ProviderError {
  const said = mayQuote(request) ? statusMessage(answer) : statusFields(answer);
  return new ProviderError(
    reasonOf(request, status),
    `${failed(request)}: the API server answered ${status}${said === '' ? '' : ` (${said})`}${remedy(request, status)}`,
  );
}

/**
 * The error for a request without a response: no connection, no credentials, or a time-out.
 * @param waitedMs set if the deadline ended the request
 */
export function unreachable(request: KubeRequest, cause: unknown, waitedMs?: number): ProviderError {
  const detail = waitedMs === undefined ? networkMessage(cause) : `no answer within ${waitedMs} ms`;
  return new ProviderError('KubernetesUnavailable', `${failed(request)}: API server: ${detail}`, { cause });
}

/** If a name has several addresses, Node throws an AggregateError with an empty message. */
function networkMessage(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) {
    return cause.errors.map(networkMessage).join(', ');
  }
  return cause instanceof Error ? cutText(cause.message, MAX_QUOTE) : 'unknown error';
}

function failed({ verb, resource, namespace, name, subresource }: KubeRequest): string {
  if (name === undefined) {
    return `cannot ${VERBS[verb].description} ${resource}${namespace === undefined ? '' : ` of namespace "${namespace}"`}`;
  }
  const what = `${RESOURCES[resource].kind} "${namespace === undefined ? name : `${namespace}/${name}`}"`;
  return `cannot ${VERBS[verb].description} ${subresource === undefined ? '' : `a ${subresource} for `}${what}`;
}

function reasonOf({ resource, subresource }: KubeRequest, status: number): FailureReason {
  // 401, 408 and 429 do not refer to the requested object.
  const isFinal = status >= 400 && status < 500 && ![401, 408, 429].includes(status);
  if (isFinal && resource === 'secrets') {
    return 'SecretRefused';
  }
  if (isFinal && subresource === 'token') {
    return 'TokenMissing';
  }
  return resource === 'serviceaccounts' && (status === 403 || status === 404) ? 'RoleMissing' : 'KubernetesUnavailable';
}

function remedy(request: KubeRequest, status: number): string {
  switch (status) {
    case 401:
      return "; check the token of the provider's service account, or the kubeconfig's user";
    case 403:
      return `; ${request.remedy ?? allow(request)}`;
    default:
      return '';
  }
}

function allow({ verb, resource, subresource }: KubeRequest): string {
  const [what, chartValue] =
    subresource === undefined
      ? [resource, RESOURCES[resource].chartValue]
      : [`${resource}/${subresource}`, 'tokenRequest.enabled'];
  const unless = mayQuote({ verb, resource }) ? '' : ', unless a quota or a policy of the namespace refuses it';
  return `allow the provider's service account to ${VERBS[verb].allow} "${what}" by a ClusterRole (the chart makes it: ${chartValue})${unless}`;
}

/** A message of the API server or of an admission policy may quote the Secret that is being written. */
function mayQuote({ verb, resource }: Pick<KubeRequest, 'verb' | 'resource'>): boolean {
  return resource !== 'secrets' || verb === 'get' || verb === 'list';
}

function statusMessage({ message }: Status): string {
  return typeof message === 'string' ? cutText(visible(cutText(message, MAX_QUOTE)), MAX_QUOTE) : '';
}

/** The reason and the names of the invalid fields, without their values. */
function statusFields({ reason, details }: Status): string {
  const causes = (details?.causes ?? []).map((cause) => words([cause.field, cause.reason]).join(' '));
  return cutText(visible(words([reason, causes.join(', ')]).join(': ')), MAX_QUOTE);
}

function words(parts: readonly unknown[]): readonly string[] {
  return parts.filter((part): part is string => typeof part === 'string' && part !== '');
}

/** @returns an empty Status for any other body, such as HTML of a load balancer */
export function readStatus(body: string): Status {
  try {
    const status: unknown = JSON.parse(body);
    return typeof status === 'object' && status !== null ? status : {};
  } catch {
    return {};
  }
}
