import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Counts } from './aws/call-counter.ts';
import type { Settings } from './aws/state.ts';
import type { Certificates } from './certificates.ts';

export interface Ports {
  readonly aws: number;
  readonly agent: number;
  readonly api: number;
}

export interface StandInsOptions {
  /** 0 lets the system choose. */
  readonly ports: Ports;
  readonly certificates: Certificates;
  readonly settings: Settings;
  readonly apiLatencyMs: number;
}

export type StandInsArguments = Omit<StandInsOptions, 'certificates'> & Pick<Certificates, 'cert' | 'key'>;

type Order =
  | { readonly do: 'configure'; readonly settings: Partial<Settings> }
  | { readonly do: 'place'; readonly objects: readonly (readonly [path: string, object: object])[] }
  | { readonly do: 'rotate' | 'reset' | 'read' };

export type Command = Order & { readonly id: number };

interface Reading {
  readonly generation: number;
  /** TLS connections opened to AWS. */
  readonly connections: number;
  readonly aws: Counts;
  readonly api: Counts;
}

export type Reply = Reading & { readonly id: number };

/** The world outside the node, in a process of its own so that it takes no time from the provider's event loop. */
export interface StandIns extends AsyncDisposable {
  readonly ports: Ports;
  readonly caFile: string;
  readonly pid: number;
  configure(settings: Partial<Settings>): Promise<Reading>;
  /** Puts objects into the API server, in place of those before. */
  place(objects: readonly (readonly [path: string, object: object])[]): Promise<Reading>;
  /** Gives every secret and parameter a new version. */
  rotate(): Promise<Reading>;
  /** Forgets the calls so far. */
  reset(): Promise<Reading>;
  read(): Promise<Reading>;
}

export async function startStandIns({ certificates, ...options }: StandInsOptions): Promise<StandIns> {
  const args: StandInsArguments = { ...options, cert: certificates.cert, key: certificates.key };
  const child = fork(join(import.meta.dirname, 'stand-ins.ts'), [JSON.stringify(args)], { execArgv: [] });
  const exited = once(child, 'exit');
  const [first] = await Promise.race([once(child, 'message'), exited]);
  if (typeof first !== 'object' || first === null) {
    throw new Error('the stand-ins for AWS and the API server did not start: is one of their ports taken?');
  }
  const waiting = new Map<number, (reading: Reading) => void>();
  let lastId = 0;
  child.on('message', ({ id, ...reading }: Reply) => {
    waiting.get(id)?.(reading);
    waiting.delete(id);
  });

  async function order(what: Order): Promise<Reading> {
    lastId += 1;
    const { promise, resolve } = Promise.withResolvers<Reading>();
    waiting.set(lastId, resolve);
    const died = exited.then(() => {
      throw new Error('the stand-ins for AWS and the API server have ended');
    });
    child.send({ ...what, id: lastId } satisfies Command);
    return await Promise.race([promise, died]);
  }

  return {
    ports: first as Ports,
    caFile: certificates.caFile,
    pid: child.pid ?? 0,
    configure: (settings) => order({ do: 'configure', settings }),
    place: (objects) => order({ do: 'place', objects }),
    rotate: () => order({ do: 'rotate' }),
    reset: () => order({ do: 'reset' }),
    read: () => order({ do: 'read' }),
    async [Symbol.asyncDispose]() {
      if (child.connected) {
        child.disconnect();
      }
      await exited;
    },
  };
}
