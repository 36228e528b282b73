import { type Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
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

/** @param timeoutMs time-out of a call; the kubelet's is two minutes */
export function connect(socketPath: string, timeoutMs: number): ProviderClient {
  const Service = loadProviderService();
  // The authority that the driver sends from 1.6 on.
  const client = new Service(`unix:${socketPath}`, credentials.createInsecure(), {
    'grpc.default_authority': 'localhost',
  });
  return {
    version: (signal) => call(client, 'version', { version: 'v1alpha1' }, timeoutMs, signal),
    mount: (request, signal) => call(client, 'mount', request, timeoutMs, signal),
    [Symbol.dispose]: () => client.close(),
  };
}

type Method = (
  request: object,
  options: { readonly deadline: number },
  reply: (error: ServiceError | null, response: unknown) => void,
) => { cancel(): void };

async function call<Response>(
  client: Client,
  name: string,
  request: object,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Response> {
  const method = (client as unknown as Record<string, Method>)[name];
  return await new Promise<Response>((resolve, reject) => {
    const running = method?.call(
      client,
      request,
      { deadline: SYSTEM_CLOCK.wallNow() + timeoutMs },
      (error, response) => {
        signal.removeEventListener('abort', cancel);
        if (error === null) {
          resolve(response as Response);
        } else {
          reject(new CallError(error));
        }
      },
    );
    function cancel(): void {
      running?.cancel();
    }
    signal.addEventListener('abort', cancel, { once: true });
  });
}
