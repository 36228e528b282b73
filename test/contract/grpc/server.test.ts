import { mkdtemp, readdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { SYSTEM_CLOCK } from '../../../src/concurrency/clock.ts';
import { ProviderError } from '../../../src/model/errors.ts';
import { CallError, connect } from '../../../src/grpc/client.ts';
import type { MountRequest } from '../../../src/grpc/protocol.ts';
import { type ServerSettings, startServer } from '../../../src/grpc/server.ts';
import type { ServedMount } from '../../../src/mount/serve.ts';
import { SecretBytes } from '../../../src/model/secret-bytes.ts';
import { VERSION } from '../../../src/model/version.ts';

const NEVER = new AbortController().signal;

const REQUEST: MountRequest = {
  attributes: JSON.stringify({
    'csi.storage.k8s.io/pod.name': 'web',
    'csi.storage.k8s.io/pod.namespace': 'shop',
    'csi.storage.k8s.io/pod.uid': 'uid',
    'csi.storage.k8s.io/serviceAccount.name': 'web',
    'csi.storage.k8s.io/serviceAccount.tokens': '{"sts.amazonaws.com":{"token":"t"}}',
  }),
  secrets: 'null',
  targetPath: '/target',
  permission: '420',
  currentObjectVersion: [],
};

const SERVED: ServedMount = {
  spec: {
    regions: ['eu-west-1'],
    authentication: { kind: 'irsa' },
    objects: [],
    targetPath: '/target',
    pod: { namespace: 'shop', name: 'web', uid: 'uid', serviceAccount: 'web' },
    tokens: new Map(),
  },
  versions: new Map([['no-objects', 'none']]),
  confirmedAt: 0,
  changed: true,
};

let folder: string;
let socketPath: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'grpc-'));
  socketPath = join(folder, 'providers', 'aws.sock');
});

function settings(changes: Partial<ServerSettings> = {}): ServerSettings {
  return {
    clock: SYSTEM_CLOCK,
    socketPath,
    drainMs: 2_000,
    mountTimeoutMs: 60_000,
    log: pino({ level: 'silent' }),
    serveMount: async () => SERVED,
    ...changes,
  };
}

async function failureOf(call: Promise<unknown>): Promise<CallError> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(CallError);
  return error as CallError;
}

describe('the socket', () => {
  it('is created with its directory, for root only, and leaves no other name', async () => {
    await using _server = await startServer(settings());

    expect(await readdir(join(folder, 'providers'))).toEqual(['aws.sock']);
    expect((await stat(socketPath)).mode & 0o077).toBe(0);
  });

  it('is removed at a stop', async () => {
    const server = await startServer(settings());
    await server[Symbol.asyncDispose]();

    expect(await readdir(join(folder, 'providers'))).toEqual([]);
  });

  it('replaces the file of a killed process', async () => {
    await startServer(settings()).then((server) => server[Symbol.asyncDispose]());
    await writeFile(socketPath, '');
    await using _server = await startServer(settings());
    using client = connect(socketPath, 120_000);

    expect(await client.version(NEVER)).toMatchObject({ runtimeVersion: VERSION });
  });

  it('is taken over by a newer process, and stays with it when the older one stops', async () => {
    const older = await startServer(settings());
    await using _newer = await startServer(
      settings({ serveMount: () => Promise.reject(new ProviderError('AccessDenied', 'from the newer one')) }),
    );
    await older[Symbol.asyncDispose]();
    using client = connect(socketPath, 120_000);

    expect(await failureOf(client.mount(REQUEST, NEVER))).toMatchObject({ message: 'from the newer one' });
  });
});

describe('Version', () => {
  it('returns the protocol, our name and a semantic version', async () => {
    await using _server = await startServer(settings());
    using client = connect(socketPath, 120_000);

    expect(await client.version(NEVER)).toEqual({
      version: 'v1alpha1',
      runtimeName: 'aws-secrets-csi',
      runtimeVersion: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    });
  });
});

describe('Mount', () => {
  it('returns a version entry even for a volume without objects', async () => {
    await using _server = await startServer(settings());
    using client = connect(socketPath, 120_000);
    const response = await client.mount(REQUEST, NEVER);

    expect(response.objectVersion).toHaveLength(1);
    expect(response.files).toEqual([]);
  });

  it('turns a bug into INTERNAL without its text, and continues to serve', async () => {
    let calls = 0;
    await using _server = await startServer(
      settings({
        serveMount: async () => {
          calls += 1;
          if (calls === 1) {
            throw new TypeError('hunter2');
          }
          return SERVED;
        },
      }),
    );
    using client = connect(socketPath, 120_000);
    const failure = await failureOf(client.mount(REQUEST, NEVER));

    expect(failure.code).toBe('INTERNAL');
    expect(failure.message).not.toContain('hunter2');
    expect((await client.mount(REQUEST, NEVER)).objectVersion).toHaveLength(1);
  });

  it('is answered if the response cannot be built', async () => {
    class Broken extends SecretBytes {
      override expose(): never {
        throw new TypeError('hunter2');
      }
    }
    const files = [{ path: 'db', mode: 0o644, value: new Broken(new Uint8Array()) }];
    await using _server = await startServer(settings({ serveMount: async () => ({ ...SERVED, files }) }));
    using client = connect(socketPath, 120_000);
    const failure = await failureOf(client.mount(REQUEST, NEVER));

    expect(failure.code).toBe('INTERNAL');
    expect(failure.message).not.toContain('hunter2');
  });

  it('is answered if the log cannot be written', async () => {
    const log = pino(
      {},
      {
        write() {
          throw new Error('ENOSPC: no space left on device');
        },
      },
    );
    const refusal = new ProviderError('AccessDenied', 'no');
    let isRefused = false;
    await using _server = await startServer(
      settings({ log, serveMount: () => (isRefused ? Promise.reject(refusal) : Promise.resolve(SERVED)) }),
    );
    using client = connect(socketPath, 120_000);
    const served = await client.mount(REQUEST, NEVER);
    isRefused = true;

    expect(served.objectVersion).toHaveLength(1);
    expect(await failureOf(client.mount(REQUEST, NEVER))).toMatchObject({ code: 'PERMISSION_DENIED', message: 'no' });
  });

  it('ends at its own deadline with a code that starts no pod with an empty volume', async () => {
    await using _server = await startServer(
      settings({ mountTimeoutMs: 100, serveMount: (_, signal) => aborted(signal) }),
    );
    using client = connect(socketPath, 120_000);
    const failure = await failureOf(client.mount(REQUEST, NEVER));

    expect(failure).toMatchObject({ code: 'UNKNOWN', message: expect.stringContaining('not done within 0.1 s') });
  });

  it('stops its work when the driver cancels the call', async () => {
    const { promise: ended, resolve } = Promise.withResolvers<unknown>();
    await using _server = await startServer(
      settings({
        serveMount: (_, signal) => {
          signal.addEventListener('abort', () => resolve(signal.reason));
          return aborted(signal);
        },
      }),
    );
    using client = connect(socketPath, 120_000);
    const call = client.mount(REQUEST, AbortSignal.timeout(50));

    expect(await failureOf(call)).toMatchObject({ code: 'CANCELLED' });
    expect(await ended).toMatchObject({ reason: 'Cancelled' });
  });
});

describe('a stop', () => {
  it('lets a mount in progress finish', async () => {
    const { promise: started, resolve } = Promise.withResolvers<void>();
    const work = Promise.withResolvers<void>();
    const server = await startServer(
      settings({
        serveMount: async () => {
          resolve();
          await work.promise;
          return SERVED;
        },
      }),
    );
    using client = connect(socketPath, 120_000);
    const call = client.mount(REQUEST, NEVER);
    await started;
    const stopped = server[Symbol.asyncDispose]();
    work.resolve();
    await stopped;

    expect((await call).objectVersion).toHaveLength(1);
  });

  it('cancels a mount that is not done after the drain time, with a safe code', async () => {
    const { promise: started, resolve } = Promise.withResolvers<void>();
    const server = await startServer(
      settings({
        drainMs: 50,
        serveMount: (_, signal) => {
          resolve();
          return aborted(signal);
        },
      }),
    );
    using client = connect(socketPath, 120_000);
    const call = failureOf(client.mount(REQUEST, NEVER));
    await started;
    await server[Symbol.asyncDispose]();

    expect(await call).toMatchObject({ code: 'UNKNOWN', message: expect.stringContaining('stopping') });
  });
});

async function aborted(signal: AbortSignal): Promise<never> {
  return await new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
