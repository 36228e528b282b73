import type { FetchOutcome } from '../mount/mount.ts';
import type { ObjectSource, ObjectSpec } from '../spec/mount-spec.ts';
import type { Identity } from './identity.ts';

/** An object, and what to ask for to get it: that differs by region. */
export interface StoreRequest {
  readonly object: ObjectSpec;
  readonly source: ObjectSource;
}

/** What came of each request, by its object. */
export type Outcomes = ReadonlyMap<ObjectSpec, FetchOutcome>;

/** A service of one region. */
export interface Regional<Client> {
  readonly client: Client;
  readonly region: string;
  /** Runs a call when the service has room for it. @throws the signal's reason when it aborts before that */
  readonly limit: <Result>(call: () => Promise<Result>, signal: AbortSignal) => Promise<Result>;
}

/** A store of one region, asked as one identity. */
export interface StoreAccess<Client> extends Regional<Client> {
  readonly identity: Identity;
}
