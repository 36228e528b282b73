import { cutText, visible } from '../text/visible-text.ts';

/**
 * Why a call failed, as a closed set: one word serves as gRPC code (grpc/status.ts), metric label, event reason and log field.
 */
export type FailureReason =
  /** The driver's request itself cannot be read. */
  | 'InvalidRequest'
  /** The class, or what a pod put over it, is wrong. */
  | 'InvalidParameters'
  /** The request carries no service-account token for the audience needed. */
  | 'TokenMissing'
  /** The service account names no role, or cannot be read. */
  | 'RoleMissing'
  /** STS or the Pod Identity agent says no. */
  | 'CredentialsRefused'
  | 'AccessDenied'
  | 'ObjectNotFound'
  /** The store's answer to the object is a plain no: bad name, pending deletion, undecryptable. */
  | 'ObjectRefused'
  /** The value does not fit what the class does with it: not JSON, nothing at the path. */
  | 'ValueUnusable'
  | 'Throttled'
  /** AWS is down for us: 5xx, no connection, no answer. The one reason for which a second region is asked. */
  | 'StoreUnavailable'
  | 'KubernetesUnavailable'
  | 'DeadlineExceeded'
  | 'Cancelled'
  | 'PayloadTooLarge'
  /** The SecretProviderClass of a running pod is no longer there. */
  | 'ClassMissing'
  /** A Kubernetes Secret cannot be made as the class asks: it is somebody else's, or the API server will not have it. */
  | 'SecretRefused'
  /** The volume cannot be written. */
  | 'VolumeUnwritable'
  /** A bug of ours. */
  | 'Internal';

export interface ProviderErrorOptions {
  /** objectName of the entry that failed. */
  readonly object?: string;
  readonly cause?: unknown;
  /** Set by `ProviderError.all`. */
  readonly problems?: readonly string[];
  readonly problemCount?: number;
}

/** Longest message, in UTF-16 units: a log line can take it, status and Event say less. */
const MAX_MESSAGE = 16 * 1024;

/**
 * A failure that the pod's owner can act on. Its message reaches the pod's event: it never carries secret bytes or tokens. It is one
 * line of bounded length, whatever texts from outside it quotes.
 */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';
  readonly reason: FailureReason;
  readonly object: string | undefined;
  /** What failed, each by itself: for one failure its message alone. */
  readonly problems: readonly string[];
  /** How many failed; more than `problems` where some are not said. */
  readonly problemCount: number;

  constructor(reason: FailureReason, message: string, options: ProviderErrorOptions = {}) {
    super(
      cutText(visible(cutText(message, MAX_MESSAGE)), MAX_MESSAGE),
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.reason = reason;
    this.object = options.object;
    this.problems = options.problems ?? [this.message];
    this.problemCount = options.problemCount ?? this.problems.length;
  }

  /**
   * One error that says all that failed, in the order given; its reason is that of the first.
   * @param failures at least one
   * @param unsaid how many more there are that are only counted
   */
  static all(failures: readonly ProviderError[], unsaid = 0): ProviderError {
    const [first] = failures;
    if (first === undefined) {
      throw new TypeError('ProviderError.all needs a failure');
    }
    if (failures.length === 1 && unsaid === 0) {
      return first;
    }
    const count = failures.length + unsaid;
    const lines = failures.map((failure, index) => `(${index + 1}) ${failure.message}`);
    const more = unsaid > 0 ? [`… and ${unsaid} more problems`] : [];
    return new ProviderError(first.reason, `${count} problems: ${[...lines, ...more].join('; ')}`, {
      cause: new AggregateError(failures),
      problems: failures.map(({ message }) => message),
      problemCount: count,
    });
  }

  /** Any thrown thing as a ProviderError; what is not one already is a bug of ours. The unknown's text is kept out of the message. */
  static from(thrown: unknown): ProviderError {
    return thrown instanceof ProviderError
      ? thrown
      : new ProviderError('Internal', 'internal error of the provider: see its log', { cause: thrown });
  }
}

/** Where an error came from, without its message: nobody vouches for what a stray error quotes. */
export function stackOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) {
    return `thrown: ${typeof thrown}`;
  }
  const frames = thrown.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
  return [thrown.name, ...frames].join('\n');
}
