import type { ServerUnaryCall } from '@grpc/grpc-js';
import type { Clock } from '../concurrency/clock.ts';
import { ProviderError } from '../model/errors.ts';

export interface CallSignal extends Disposable {
  readonly signal: AbortSignal;
}

export interface CallBounds {
  readonly clock: Clock;
  readonly stopping: AbortSignal;
  /** The provider's own limit, less than the kubelet's two minutes. */
  readonly mountTimeoutMs: number;
}

/** Aborts when the driver cancels, at the deadline of the call, or when the process stops. The reason is the ProviderError to return. */
export function callSignal(
  call: ServerUnaryCall<unknown, unknown>,
  { clock, stopping, mountTimeoutMs }: CallBounds,
): CallSignal {
  const controller = new AbortController();
  const answered = new AbortController();
  const leftMs = Math.min(Math.max(0, Number(call.getDeadline()) - clock.wallNow()), mountTimeoutMs);
  clock.sleep(leftMs, answered.signal).then(
    () =>
      controller.abort(
        new ProviderError(
          'DeadlineExceeded',
          `not done within ${Math.round(leftMs / 100) / 10} s: AWS, the API server or a proxy in between responds too slowly`,
        ),
      ),
    () => undefined,
  );
  // grpc-js also emits this after a normal reply (grpc-node issue 2771), which does no harm then.
  call.on('cancelled', () => controller.abort(new ProviderError('Cancelled', 'the driver ended the call')));
  return {
    signal: AbortSignal.any([controller.signal, stopping]),
    [Symbol.dispose]: () => answered.abort(),
  };
}
