import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { onAbort } from '../concurrency/cancellation.ts';
import { SYSTEM_CLOCK } from '../concurrency/clock.ts';
import { loadProviderService } from './definitions.ts';
import type { MountRequest, MountResponse, VersionResponse } from './protocol.ts';

/** A client that sends the same calls as the driver. */
export interface ProviderClient extends Disposable {
  version(signal: AbortSignal): Promise<VersionResponse>;
  mount(request: MountRequest, signal: AbortSignal): Promise<MountResponse>;
}

/** The error that the driver would receive: the name of the status code and the provider's message. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly code: string;

  constructor({ code, details }: Pick<ServiceError, 'code' | 'details'>) {
    super(details);
    this.code = status[code];
  }
}

type Method = (
  request: object,
  options: { readonly deadline: number },
  reply: (error: ServiceError | null, response: unknown) => void,
) => { cancel(): void };

/** @param timeoutMs time-out of a call; the kubelet's is two minutes */
export function connect(socketPath: string, timeoutMs: number): ProviderClient {
  const Service = loadProviderService();
  // The authority that the driver sends from 1.6 on.
  const client = new Service(`unix:${socketPath}`, credentials.createInsecure(), {
    'grpc.default_authority': 'localhost',
  });

  async function call<Response>(name: string, request: object, signal: AbortSignal): Promise<Response> {
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const method = client[name] as Method;
    const deadline = SYSTEM_CLOCK.wallNow() + timeoutMs;
    const running = method.call(client, request, { deadline }, (error, response) =>
      error === null ? resolve(response as Response) : reject(new CallError(error)),
    );
    using _ = onAbort(signal, () => running.cancel());
    return await promise;
  }

  return {
    version: (signal) => call('version', { version: 'v1alpha1' }, signal),
    mount: (request, signal) => call('mount', request, signal),
    [Symbol.dispose]: () => client.close(),
  };
}
