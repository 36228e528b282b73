import type { ServerUnaryCall } from '@grpc/grpc-js';
import type { Clock } from '../concurrency/clock.ts';
import { ProviderError } from '../model/errors.ts';

export interface CallSignal extends Disposable {
  readonly signal: AbortSignal;
}

export interface CallBounds {
  readonly clock: Clock;
  readonly stopping: AbortSignal;
  /** Our own bound, below the kubelet's two minutes. */
  readonly mountTimeoutMs: number;
}

/** Aborts when the driver gives up, the call's time is over or the process must stop; the reason is the ProviderError to answer with. */
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
          `not done within ${Math.round(leftMs / 100) / 10} s: AWS, the API server or a proxy between answers too slowly`,
        ),
      ),
    () => undefined,
  );
  // grpc-js emits this after a normal reply too (grpc-node issue 2771): it means "ended", which then harms nobody.
  call.on('cancelled', () => controller.abort(new ProviderError('Cancelled', 'the driver ended the call')));
  return {
    signal: AbortSignal.any([controller.signal, stopping]),
    [Symbol.dispose]: () => answered.abort(),
  };
}
