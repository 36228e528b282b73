import type { ServerClock } from '../../concurrency/server-clock.ts';
import type { Plugin, Stack } from './in-turn.ts';

/** A plug-in for a client of the SDK: the `Date` header of each response sets the clock. */
export function readsDate(clock: ServerClock): Plugin {
  return {
    applyToStack(stack) {
      (stack as Stack).add(
        (next) => async (args) => {
          const sentAt = clock.now();
          const result: { readonly response?: { readonly headers?: Readonly<Record<string, string>> } } =
            await next(args);
          clock.onResponse(result.response?.headers?.['date'], sentAt);
          return result;
        },
        // After the wait for a slot, which is no part of the request.
        { step: 'deserialize', priority: 'low', name: 'readsDate' },
      );
    },
  };
}
