import type { StoreClient } from '../../../src/aws/cache/shared-fetches.ts';
import type { StoreCall, StoreRequest } from '../../../src/aws/model/store.ts';
import { type FailureReason, ProviderError } from '../../../src/model/errors.ts';
import type { FetchedObjects } from '../../../src/model/fetched-object.ts';
import { SecretBytes } from '../../../src/model/secret-bytes.ts';
import type { ObjectSource, Store } from '../../../src/model/mount-spec.ts';
import { unlessAborted } from '../../../src/concurrency/cancellation.ts';

/** A store with the permissions of one identity: version by name (the value is "<name> <version>"), or the reason of a failure. */
export class FakeStoreClient implements StoreClient {
  readonly asked: string[] = [];
  readonly holds = new Map<string, string | ProviderError>();
  readonly key: string;
  /** As for a Mount call. */
  retriesThrottled = true;
  /** Awaited before each response. */
  gate: Promise<unknown> = Promise.resolve();

  constructor(
    key = 'role-a us-east-1',
    holds: Readonly<Record<string, string | ProviderError>> = { a: 'v1', b: 'v1' },
  ) {
    this.key = key;
    this.holds = new Map(Object.entries(holds));
  }

  async fetch(store: Store, requests: readonly StoreRequest[], call: StoreCall) {
    this.asked.push(`${store === 'secretsmanager' ? 'fetch' : 'fetch parameters'} ${names(requests)}`);
    await unlessAborted(this.gate, call.signal);
    return new Map(
      requests.flatMap(({ object, source }) => {
        const held = this.holds.get(source.name);
        const value = SecretBytes.fromText(`${source.name} ${String(held)}`);
        const fetched = typeof held === 'string' ? { version: held, value, confirmedAt: call.askedAt } : held;
        return fetched === undefined ? [] : [[object, fetched] as const];
      }),
    );
  }
}

function names(requests: readonly StoreRequest[]): string {
  return requests.map(({ source }) => source.name).join(' ');
}

export function request(
  name: string,
  source: Partial<ObjectSource> = {},
  store: Store = 'secretsmanager',
): StoreRequest {
  const asked = { name, ...source };
  return {
    source: asked,
    object: { store, name, path: name, mode: 0o644, primary: asked, failover: asked, extractions: [] },
  };
}

export function failed(reason: FailureReason): ProviderError {
  return new ProviderError(reason, `${reason}!`);
}

/** Values, and the reasons of failures. */
export function shown(objects: FetchedObjects): string[] {
  return Array.from(objects.values(), (fetched) =>
    fetched instanceof ProviderError ? fetched.reason : fetched.value.exposeText(),
  );
}
