import type { ServerClock } from '../../concurrency/server-clock.ts';
import type { Limit } from '../model/store.ts';

/** One attempt of a call, with any input and output of the SDK. */
type Attempt = (args: object) => Promise<{
  readonly response?: { readonly headers?: Readonly<Record<string, string>> };
}>;

/** The part of the SDK's middleware stack that is used here, for any service. */
interface Stack {
  add(
    middleware: (attempt: Attempt) => Attempt,
    options: { readonly step: 'deserialize'; readonly priority: 'high' | 'low'; readonly name: string },
  ): void;
}

/** A plug-in for a client or a command of the SDK. */
export interface Plugin {
  applyToStack(stack: object): void;
}

interface Pluggable {
  readonly middlewareStack: { use(plugin: Plugin): void };
}

/** @returns the client or command itself */
export function withPlugin<Item extends Pluggable>(item: Item, plugin: Plugin): Item {
  item.middlewareStack.use(plugin);
  return item;
}

/** Limits the attempts of a command. @returns the command itself */
export function limited<Command extends Pluggable>(
  command: Command,
  { limit, signal }: { readonly limit: Limit; readonly signal: AbortSignal },
): Command {
  return withPlugin(command, limitsAttempts(limit, signal));
}

/**
 * Each attempt takes a slot of the limiter, from the request to the end of the response. The SDK's waits between attempts hold no slot, so an identity that
 * AWS throttles does not delay others.
 */
export function limitsAttempts(limit: Limit, signal: AbortSignal): Plugin {
  return {
    applyToStack(stack) {
      (stack as Stack).add((attempt) => (args) => limit(() => attempt(args), signal), {
        step: 'deserialize',
        priority: 'high',
        name: 'limitsAttempts',
      });
    },
  };
}

/** The `Date` header of each response sets the clock. */
export function readsDate(clock: ServerClock): Plugin {
  return {
    applyToStack(stack) {
      (stack as Stack).add(
        (attempt) => async (args) => {
          const sentAt = clock.now();
          const result = await attempt(args);
          clock.onResponse(result.response?.headers?.['date'], sentAt);
          return result;
        },
        // After the wait for a slot, which is no part of the request.
        { step: 'deserialize', priority: 'low', name: 'readsDate' },
      );
    },
  };
}
