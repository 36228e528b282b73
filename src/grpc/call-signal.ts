import type { ServerUnaryCall } from '@grpc/grpc-js';
import { ProviderError } from '../model/errors.ts';

export interface CallSignal extends Disposable {
  readonly signal: AbortSignal;
}

/**
 * Aborts when the driver gives up, the call's time is over or the process must stop; the reason is the ProviderError to answer with.
 * @param maxMs our own bound, below the kubelet's two minutes
 */
export function callSignal(call: ServerUnaryCall<unknown, unknown>, stopping: AbortSignal, maxMs: number): CallSignal {
  const controller = new AbortController();
  const leftMs = Math.min(Math.max(0, Number(call.getDeadline()) - Date.now()), maxMs);
  const timer = setTimeout(
    () =>
      controller.abort(
        new ProviderError(
          'DeadlineExceeded',
          `not done within ${Math.round(leftMs / 100) / 10} s: AWS, the API server or a proxy between answers too slowly`,
        ),
      ),
    leftMs,
  );
  // grpc-js emits this after a normal reply too (grpc-node issue 2771): it means "ended", which then harms nobody.
  call.on('cancelled', () => controller.abort(new ProviderError('Cancelled', 'the driver ended the call')));
  return {
    signal: AbortSignal.any([controller.signal, stopping]),
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
