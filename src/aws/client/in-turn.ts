import type { Limit } from '../model/store.ts';

/** One try of a call, whatever the SDK puts in and takes out. */
type Try = (args: object) => Promise<object>;

/** The part of the SDK's middleware that is used here, for calls of any service. */
interface Stack {
  add(
    middleware: (next: Try) => Try,
    options: { readonly step: 'deserialize'; readonly priority: 'high'; readonly name: string },
  ): void;
}

interface Plugin {
  applyToStack(stack: object): void;
}

/**
 * For a client or a command of the SDK: each try takes a place of its own, from the request to the end of its answer. The SDK's waits between
 * them hold none: an identity that AWS throttles keeps no other waiting.
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

/** The command, each of whose tries waits for its turn. */
export function inTurn<Command extends { readonly middlewareStack: { use(plugin: Plugin): void } }>(
  command: Command,
  limit: Limit,
  signal: AbortSignal,
): Command {
  command.middlewareStack.use(eachTryInTurn(limit, signal));
  return command;
}
