import type { Limit } from '../model/store.ts';

/** One try of a command, whatever the SDK puts in and takes out. */
type Try = (args: object) => Promise<object>;

/** The part of a command of the SDK's that is used here, for commands of any service. */
interface Stack {
  add(
    middleware: (next: Try) => Try,
    options: { readonly step: 'deserialize'; readonly priority: 'high'; readonly name: string },
  ): void;
}

/**
 * The command, each of whose tries takes a place of its own, from the request to the end of its answer. The SDK's waits between them hold
 * none: an identity that AWS throttles keeps no other waiting.
 */
export function inTurn<Command extends { readonly middlewareStack: object }>(
  command: Command,
  limit: Limit,
  signal: AbortSignal,
): Command {
  const stack = command.middlewareStack as Stack;
  stack.add((next) => (args) => limit(() => next(args), signal), {
    step: 'deserialize',
    priority: 'high',
    name: 'waitsForItsPlace',
  });
  return command;
}
