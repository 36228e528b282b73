import { type handleUnaryCall, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { Clock } from '../concurrency/clock.ts';
import { ProviderError, stackOf } from '../model/errors.ts';
import type { ServedMount } from '../mount/serve.ts';
import { type Logger, mountFields } from '../observability/logger.ts';
import { CLASS_ATTRIBUTE } from '../model/kube-objects.ts';
import { type MountCall, parseRequest } from '../request/parse-request.ts';
import { NAME, VERSION } from '../model/version.ts';
import { callSignal } from './call-signal.ts';
import type { MountRequest, MountResponse, VersionRequest, VersionResponse } from './protocol.ts';
import { statusMessage } from './status-message.ts';
import { statusOf } from './status.ts';

export interface HandlerDeps {
  serveMount(call: MountCall, signal: AbortSignal): Promise<ServedMount>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly mountTimeoutMs: number;
  /** Aborts with a ProviderError when mounts in progress must end because the process stops. */
  readonly stopping: AbortSignal;
}

export function versionHandler(): handleUnaryCall<VersionRequest, VersionResponse> {
  return function version(_call, reply) {
    reply(null, { version: 'v1alpha1', runtimeName: NAME, runtimeVersion: VERSION });
  };
}

/** Handles the driver's Mount calls. Every failure ends the call and is logged here, once. */
export function mountHandler(deps: HandlerDeps): handleUnaryCall<MountRequest, MountResponse> {
  return function handleMount(call, reply) {
    const started = deps.clock.now();
    let log = deps.log;
    async function serve(): Promise<ServedMount> {
      using bounded = callSignal(call, deps);
      const mountCall = parseRequest(call.request);
      log = log.child(mountFields(mountCall.pod, mountCall.parameters.get(CLASS_ATTRIBUTE)));
      return await deps.serveMount(mountCall, bounded.signal);
    }
    async function answer(): Promise<readonly [error: ServiceError | null, response?: MountResponse]> {
      try {
        const served = await serve();
        const message = response(served);
        whereWritable(() => log.info({ ...what(served), ms: since(started, deps.clock) }, 'mount served'));
        return [null, message];
      } catch (thrown) {
        const error = ProviderError.from(thrown);
        const fields = { reason: error.reason, error: error.message, ms: since(started, deps.clock) };
        whereWritable(() =>
          // Only bugs need a stack in the log.
          log.error(error.reason === 'Internal' ? { ...fields, stack: stackOf(error.cause) } : fields, 'mount failed'),
        );
        return [serviceError(error)];
      }
    }
    void answer().then((outcome) => reply(...outcome));
  };
}

/** A log that cannot be written, for example to a full disk, must not fail a mount. There is nowhere to report it. */
function whereWritable(write: () => void): void {
  try {
    write();
  } catch {
    // See above.
  }
}

function what({ spec, versions, changed }: ServedMount): Record<string, unknown> {
  return { regions: spec.regions, objects: spec.objects.length, files: versions.size, changed };
}

function since(started: number, clock: Clock): number {
  return Math.round(clock.now() - started);
}

function response({ versions, files = [] }: ServedMount): MountResponse {
  return {
    objectVersion: Array.from(versions, ([id, version]) => ({ id, version })),
    // Without files in the response the driver does not touch the volume.
    files: files.map(({ path, mode, value }) => ({ path, mode, contents: value.expose() })),
  };
}

function serviceError(error: ProviderError): ServiceError {
  const details = statusMessage(error);
  return Object.assign(new Error(details), { code: statusOf(error.reason), details, metadata: new Metadata() });
}
