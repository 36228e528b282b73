import { cutText, visible } from '../text/visible-text.ts';

/**
 * Why a call failed. One word determines the gRPC code (grpc/status.ts), and is the reason in events and log fields.
 */
export type FailureReason =
  /** The driver's request itself cannot be read. */
  | 'InvalidRequest'
  /** The class, or a pod's override of it, is invalid. */
  | 'InvalidParameters'
  /** The request has no service account token for the required audience. */
  | 'TokenMissing'
  /** The service account names no role, or cannot be read. */
  | 'RoleMissing'
  /** STS or the Pod Identity agent refused credentials. */
  | 'CredentialsRefused'
  | 'AccessDenied'
  | 'ObjectNotFound'
  /** The store refused the object: bad name, pending deletion, not decryptable. */
  | 'ObjectRefused'
  /** The value cannot be used as the class asks: not JSON, or nothing at the path. */
  | 'ValueUnusable'
  | 'Throttled'
  /** AWS is down or unreachable: 5xx, no connection, no response. The only reason to use the failover region. */
  | 'StoreUnavailable'
  | 'KubernetesUnavailable'
  | 'DeadlineExceeded'
  | 'Cancelled'
  | 'PayloadTooLarge'
  /** The SecretProviderClass of a running pod was deleted. */
  | 'ClassMissing'
  /** A Kubernetes Secret cannot be created as the class asks: it is not managed by this provider, or the API server rejects it. */
  | 'SecretRefused'
  /** The volume cannot be written. */
  | 'VolumeUnwritable'
  /** A bug in the provider. */
  | 'Internal';

export interface ProviderErrorOptions {
  /** objectName of the entry that failed. */
  readonly object?: string;
  readonly cause?: unknown;
  /** Set by `ProviderError.all`. */
  readonly problems?: readonly string[];
  readonly problemCount?: number;
}

/** Maximum length of a message in UTF-16 units. It fits into a log line; gRPC statuses and events are shorter. */
const MAX_MESSAGE = 16 * 1024;

/**
 * A failure that the pod's owner can fix. Its message appears in an event of the pod, so it never contains secrets or tokens. It is one line of bounded
 * length, even if it quotes texts from outside.
 */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';
  readonly reason: FailureReason;
  readonly object: string | undefined;
  /** The message of each failure. */
  readonly problems: readonly string[];
  /** Number of failures; may be more than `problems`. */
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
   * Combines failures into one error, in the order given. Its reason is that of the first.
   * @param failures at least one
   * @param unsaid number of further failures, which are only counted
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

  /** Converts anything thrown into a ProviderError. What is neither that nor a time-out is a bug, and its text is omitted, because it may quote a secret. */
  static from(thrown: unknown): ProviderError {
    if (thrown instanceof ProviderError) {
      return thrown;
    }
    return thrown instanceof DOMException && thrown.name === 'TimeoutError'
      ? new ProviderError(
          'DeadlineExceeded',
          'not done in time: AWS, the API server or a proxy between answers too slowly',
          { cause: thrown },
        )
      : new ProviderError('Internal', 'internal error of the provider: see its log', { cause: thrown });
  }
}

/** Whether Node gave an error one of these codes, such as ENOENT. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** The stack of an error without its message, which may quote a secret. */
export function stackOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) {
    return `thrown: ${typeof thrown}`;
  }
  const frames = thrown.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? [];
  return [thrown.name, ...frames].join('\n');
}
