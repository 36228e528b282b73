import type { Limit } from '../model/store.ts';

/** One attempt of a call, with any input and output of the SDK. */
type Try = (args: object) => Promise<object>;

/** The part of the SDK's middleware stack that is used here, for any service. */
export interface Stack {
  add(
    middleware: (next: Try) => Try,
    options: { readonly step: 'deserialize'; readonly priority: 'high' | 'low'; readonly name: string },
  ): void;
}

export interface Plugin {
  applyToStack(stack: object): void;
}

/**
 * A plug-in for a client or a command of the SDK: each attempt takes a slot of the limiter, from the request to the end of the response. The SDK's waits
 * between attempts hold no slot, so an identity that AWS throttles does not delay others.
 */
export function eachTryInTurn(limit: Limit, signal: AbortSignal): Plugin {
  return {
    applyToStack(stack) {
      (stack as Stack).add((next) => (args) => limit(() => next(args), signal), {
        step: 'deserialize',
        priority: 'high',
        name: 'waitsForItsPlace',
      });
    },
  };
}

/** Makes each attempt of a command wait for a slot. */
export function inTurn<Command extends { readonly middlewareStack: { use(plugin: Plugin): void } }>(
  command: Command,
  limit: Limit,
  signal: AbortSignal,
): Command {
  command.middlewareStack.use(eachTryInTurn(limit, signal));
  return command;
}
