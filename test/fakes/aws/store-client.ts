import type { Outcomes } from '../../../src/aws/stores/failover.ts';
import type { StoreClient } from '../../../src/aws/cache/cached-store.ts';
import type { StoreRequest } from '../../../src/aws/model/store.ts';
import { type FailureReason, ProviderError } from '../../../src/model/errors.ts';
import type { FetchOutcome } from '../../../src/mount/mount.ts';
import { SecretBytes } from '../../../src/model/secret-bytes.ts';
import type { ObjectSource, Store } from '../../../src/model/mount-spec.ts';
import { unlessAborted } from '../../../src/concurrency/cancellation.ts';

/** A store as one identity sees it: version by name (the value is "<name> <version>"), or why there is none. */
export class FakeStoreClient implements StoreClient {
  readonly asked: string[] = [];
  readonly holds = new Map<string, string | ProviderError>();
  readonly key: string;
  readonly region = 'us-east-1';
  /** Awaited before each answer. */
  gate: Promise<unknown> = Promise.resolve();

  constructor(
    key = 'role-a us-east-1',
    holds: Readonly<Record<string, string | ProviderError>> = { a: 'v1', b: 'v1' },
  ) {
    this.key = key;
    this.holds = new Map(Object.entries(holds));
  }

  async fetch(store: Store, requests: readonly StoreRequest[], signal: AbortSignal) {
    this.asked.push(`${store === 'secretsmanager' ? 'fetch' : 'fetch parameters'} ${names(requests)}`);
    await unlessAborted(this.gate, signal);
    return new Map(
      requests.flatMap((asked) => {
        const held = this.holds.get(asked.source.name);
        const value = SecretBytes.fromText(`${asked.source.name} ${String(held)}`);
        return held === undefined
          ? []
          : [[asked, held instanceof ProviderError ? held : { version: held, value }] as const];
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

/** Values, and the reasons of what has none. */
export function shown(outcomes: Outcomes): string[] {
  return [...outcomes.values()].map((outcome: FetchOutcome) =>
    outcome instanceof ProviderError ? outcome.reason : outcome.value.exposeText(),
  );
}
