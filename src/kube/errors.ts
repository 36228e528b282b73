import { type FailureReason, ProviderError } from '../errors.ts';
import type { Lookup } from './lookup.ts';

/** Longest part of the API server's own words that an event should carry. */
const MAX_QUOTE = 400;

/** An answer that is not the object. */
export function refusal(what: Lookup, status: number, body: string): ProviderError {
  const said = statusMessage(body);
  const reason: FailureReason =
    what.resource === 'serviceaccounts' && (status === 403 || status === 404) ? 'RoleMissing' : 'KubernetesUnavailable';
  return new ProviderError(
    reason,
    `${cannotRead(what)}: the API server answered ${status}${said === '' ? '' : ` (${said})`}${wayOut(what, status)}`,
  );
}

/**
 * No answer at all: no connection, no credentials to send, no end in time.
 * @param waitedMs set where the deadline ended it
 */
export function unreachable(what: Lookup, cause: unknown, waitedMs?: number): ProviderError {
  const detail = waitedMs === undefined ? networkMessage(cause) : `no answer within ${waitedMs} ms`;
  return new ProviderError('KubernetesUnavailable', `${cannotRead(what)}: API server: ${detail}`, { cause });
}

/** Node gathers the attempts at several addresses of a name into an error whose message is empty. */
function networkMessage(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) {
    return cause.errors.map(networkMessage).join(', ');
  }
  return cause instanceof Error ? cause.message : 'unknown error';
}

function cannotRead({ resource, namespace, name }: Lookup): string {
  return `cannot read ${KINDS[resource]} "${namespace === undefined ? name : `${namespace}/${name}`}"`;
}

const KINDS: Readonly<Record<Lookup['resource'], string>> = {
  serviceaccounts: 'service account',
  pods: 'pod',
  nodes: 'node',
};

function wayOut({ resource }: Lookup, status: number): string {
  switch (status) {
    case 401:
      return "; check the token of the provider's service account, or the kubeconfig's user";
    case 403:
      if (resource === 'pods') {
        return '; set --node-name (the chart does), and no pod has to be read';
      }
      return `; allow the provider's service account to "get" "${resource}" by a ClusterRole (the chart makes it: rbac.install)`;
    default:
      return '';
  }
}

/** The sentence in a Kubernetes Status object; what a load balancer says in HTML is left out. */
function statusMessage(body: string): string {
  try {
    const { message }: { message?: unknown } = JSON.parse(body);
    return typeof message === 'string' ? message.slice(0, MAX_QUOTE) : '';
  } catch {
    return '';
  }
}
