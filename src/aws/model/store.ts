import type { Party } from '../../concurrency/fair-queue.ts';
import type { Limiter } from '../../concurrency/limiter.ts';
import type { ObjectSource, ObjectSpec } from '../../model/mount-spec.ts';
import type { Identity } from './identity.ts';

/** A request for an object. Its source differs by region. */
export interface StoreRequest {
  readonly object: ObjectSpec;
  readonly source: ObjectSource;
}

/** What the requests of one fetch share. */
export interface StoreCall {
  /** Milliseconds on the monotonic clock: what is fetched was confirmed then or later. */
  readonly askedAt: number;
  readonly signal: AbortSignal;
}

/** A service of one region. */
export interface Regional<Client> {
  readonly client: Client;
  readonly region: string;
  readonly limit: Limit;
}

/** Runs a call as soon as a slot is free. @throws the signal's reason if it aborts before that */
export type Limit = <Result>(call: () => Promise<Result>, signal: AbortSignal) => Promise<Result>;

/** @param party for fair queueing */
export function limitIn(limiter: Limiter, lane: string, party: Party): Limit {
  return (call, signal) => limiter.run({ lane, party }, call, signal);
}

/** A fetch from a store of one region with the permissions of one identity. */
export interface StoreAccess<Client> extends Regional<Client>, StoreCall {
  readonly identity: Identity;
}
