/** A fault of a request. */
export type Fault =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly message: string;
      readonly reason?: string;
      readonly details?: object;
    }
  | { readonly kind: 'html'; readonly status: number }
  /** A fixed response. */
  | { readonly kind: 'text'; readonly status: number; readonly text: string }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'hang' }
  /** The connection breaks before the request is processed. */
  | { readonly kind: 'reset' }
  /** The connection breaks after the request has been processed. */
  | { readonly kind: 'lost-answer' }
  /** The connection is reset after the request has been processed and half of the response sent. */
  | { readonly kind: 'half-answer' };

/** Which requests: method, and path without its query. */
export type RequestFilter = (method: string, path: string) => boolean;

export interface Faults {
  /** Of every request, until it is set back to undefined. */
  everywhere: Fault | undefined;
  /** Of some requests, until it is disposed of; the latest one takes precedence. */
  inject(fault: Fault, when: RequestFilter): Disposable;
  of(method: string, path: string): Fault | undefined;
}

export function createFaults(): Faults {
  const rules = new Map<symbol, { readonly fault: Fault; readonly when: RequestFilter }>();
  return {
    everywhere: undefined,
    inject(fault, when) {
      const key = Symbol(fault.kind);
      rules.set(key, { fault, when });
      return { [Symbol.dispose]: () => void rules.delete(key) };
    },
    of(method, path) {
      return this.everywhere ?? [...rules.values()].findLast(({ when }) => when(method, path))?.fault;
    },
  };
}
