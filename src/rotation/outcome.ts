import type { ProviderError } from '../model/errors.ts';

/** The result of polling one mount. */
export interface Outcome {
  /** The mount no longer exists, or its class now names another provider. */
  readonly isGone?: boolean;
  /** Files of which the pod has new versions. */
  readonly rotated?: readonly string[];
  /** Why the poll failed; if `isServed`, only a downstream step or the pod status failed. */
  readonly error?: ProviderError;
  readonly isServed?: boolean;
  /** Milliseconds until a downstream step that had to wait can be done. */
  readonly dueInMs?: number;
}
