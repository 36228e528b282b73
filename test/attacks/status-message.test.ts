import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { createConnection } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AttackedNode, attributesOf, type AttackPod, failureOf, startAttackedNode } from './node/attacked-node.ts';

/** Percent-encoded bytes of a message that the provider may send. */
const MAX_MESSAGE = 4096;
const MOUNT = '/v1alpha1.CSIDriverProvider/Mount';

let node: AttackedNode;
let pod: AttackPod;
beforeAll(async () => {
  node = await startAttackedNode();
  pod = await node.addPod('shop', 'attacker', 'web');
});
afterAll(() => node[Symbol.asyncDispose]());

function objects(count: number, entry: (index: number) => Record<string, string>): string {
  return JSON.stringify(Array.from({ length: count }, (_, index) => entry(index)));
}

const SIGNS = '𝕬日é\u202e"\\%';

const ATTACKS: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['one name without end', { objects: objects(1, () => ({ objectName: 'n'.repeat(100_000), objectType: 'nothing' })) }],
  ['a type without end', { objects: objects(1, () => ({ objectName: 'n', objectType: 'ü'.repeat(90_000) })) }],
  ['a region without end', { region: '𝕬'.repeat(50_000), failoverRegion: '𝕬'.repeat(50_000), objects: '[]' }],
  ['many problems of many bytes', { objects: objects(400, (index) => ({ objectName: SIGNS.repeat(15) + index })) }],
  [
    'many names that are there twice',
    { objects: objects(300, () => ({ objectName: SIGNS.repeat(15), objectType: 'secretsmanager' })) },
  ],
  [
    'many secrets that are not there',
    {
      objects: objects(40, (index) => ({
        objectName: `none-${'/x'.repeat(200)}${index}`,
        objectType: 'secretsmanager',
      })),
    },
  ],
];

describe('a status message', () => {
  it.for(ATTACKS)('is at most 4 KiB on the wire for %s', async ([, parameters]) => {
    const message = await rawMessage(node, attributesOf(pod, parameters));

    expect(message.length).toBeGreaterThan(0);
    expect(message.length).toBeLessThanOrEqual(MAX_MESSAGE);
    // Throws if an escape is cut off.
    expect(decodeURIComponent(message)).toMatch(/^[\P{C}\u0020]+$/u);
  });

  it('names the number of problems that it omits', async () => {
    const { message } = await failureOf(node.mount(pod, ATTACKS[3]![1]));

    expect(message).toMatch(/^400 problems: \(1\) objects\[0\][^]*… and \d+ more problems, see the provider's log$/);
  });

  it('does not affect other calls of the connection', async () => {
    const [attacks, victim] = await Promise.all([
      Promise.all(ATTACKS.map(async ([, parameters]) => await failureOf(node.mount(pod, parameters)))),
      node.victimMount(),
    ]);

    expect(attacks.map(({ code }) => code)).not.toContain('UNAVAILABLE');
    expect(victim).toBeGreaterThan(0);
  });

  it('has bounded lines in the log', async () => {
    await failureOf(node.mount(pod, ATTACKS[0]![1]));

    expect(Math.max(...node.provider.log.map((line) => line.length))).toBeLessThan(70_000);
  });
});

/** `grpc-message` of a Mount call as received, percent-encoded. */
async function rawMessage({ socketPath }: AttackedNode, attributes: string): Promise<string> {
  const session = connectHttp2('http://localhost', { createConnection: () => createConnection(socketPath) });
  try {
    return await new Promise((resolve, reject) => {
      session.once('error', reject);
      session.once('close', () => reject(new Error('the connection is gone')));
      const stream = session.request({
        ':method': 'POST',
        ':path': MOUNT,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      stream.once('error', reject);
      for (const event of ['response', 'trailers'] as const) {
        stream.once(event, (headers: IncomingHttpHeaders) => {
          const message = headers['grpc-message'];
          if (typeof message === 'string') {
            resolve(message);
          }
        });
      }
      stream.resume();
      stream.end(frame([text(1, attributes), text(3, pod.targetPath), text(4, '420')]));
    });
  } finally {
    session.destroy();
  }
}

/** A gRPC message of protobuf fields. */
function frame(fields: readonly Buffer[]): Buffer {
  const body = Buffer.concat(fields);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

function text(field: number, value: string): Buffer {
  const bytes = Buffer.from(value);
  const length: number[] = [];
  for (let left = bytes.length; length.length === 0 || left > 0; left = Math.floor(left / 128)) {
    length.push((left % 128) + (left >= 128 ? 128 : 0));
  }
  return Buffer.concat([Buffer.from([field * 8 + 2, ...length]), bytes]);
}
