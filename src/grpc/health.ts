import { type ServiceError, type ServerWritableStream, status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { quote } from '../text/quote.ts';
import { PROVIDER_SERVICE } from './definitions.ts';

interface HealthRequest {
  readonly service: string;
}

interface HealthResponse {
  readonly status: 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';
}

export interface Health {
  readonly implementation: UntypedServiceImplementation;
  /** Tells everybody who watches. */
  setServing(serving: boolean): void;
  /** Ends the watches: an open stream would keep the server from stopping. */
  close(): void;
}

/** The standard health service (grpc/grpc, doc/health-checking.md) for our one service and, by the empty name, the whole server. */
export function createHealth(): Health {
  let serving = false;
  const watches = new Set<ServerWritableStream<HealthRequest, HealthResponse>>();
  function answer(service: string): HealthResponse {
    if (service !== '' && service !== PROVIDER_SERVICE) {
      return { status: 'SERVICE_UNKNOWN' };
    }
    return { status: serving ? 'SERVING' : 'NOT_SERVING' };
  }
  return {
    implementation: {
      check(
        call: { readonly request: HealthRequest },
        reply: (error: Partial<ServiceError> | null, value?: HealthResponse) => void,
      ) {
        const response = answer(call.request.service);
        if (response.status === 'SERVICE_UNKNOWN') {
          reply({ code: status.NOT_FOUND, details: `no service ${quote(call.request.service)} here` });
        } else {
          reply(null, response);
        }
      },
      watch(call: ServerWritableStream<HealthRequest, HealthResponse>) {
        watches.add(call);
        call.on('cancelled', () => watches.delete(call));
        call.write(answer(call.request.service));
      },
    },
    setServing(now) {
      serving = now;
      for (const watch of watches) {
        watch.write(answer(watch.request.service));
      }
    },
    close() {
      for (const watch of watches) {
        watch.end();
      }
      watches.clear();
    },
  };
}
