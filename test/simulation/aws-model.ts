import type { Clients, Credentials } from '../../src/aws/client/clients.ts';
import type { Clock } from '../../src/concurrency/clock.ts';
import { readToken, subjectOf } from '../fakes/aws/web-token.ts';
import type { Random } from '../fakes/random.ts';
import type { Process } from './process.ts';

/** One call, as it reached AWS. */
export interface AwsCall {
  /** Milliseconds of the world's clock. */
  readonly at: number;
  readonly action: string;
  readonly node: string;
  /** Role. */
  readonly identity: string;
}

/** What AWS does instead of answering; undefined: it answers. */
export type AwsFault = 'down' | 'throttles' | 'silent';

/** An account of AWS: secrets with versions, roles that may read them, and its bad days. */
export interface AwsModel {
  readonly calls: readonly AwsCall[];
  fault: AwsFault | undefined;
  /** Makes a secret, or a new version of it. @returns number of the version, from 1 */
  rotate(secret: string): number;
  currentOf(secret: string): number;
  names(): readonly string[];
  allow(role: string, secret: string, isAllowed: boolean): void;
  /** Whether the role could read that version at some moment between two. */
  couldRead(role: string, secret: string, version: number, from: number, to: number): boolean;
  mayRead(role: string, secret: string): boolean;
  clientsFor(node: string, process: Process): Clients;
}

interface Span {
  readonly from: number;
  to: number;
}

/** Text of a value, from which the secret and its version can be read. */
export function valueOf(secret: string, version: number): string {
  return JSON.stringify({ user: `${secret}#${version}#user`, password: `${secret}#${version}#password` });
}

/** All `[secret, version]` that a text shows. */
export function versionsIn(text: string): readonly (readonly [string, number])[] {
  return Array.from(
    text.matchAll(/([\w-]+)#(\d+)#/g),
    ([, secret = '', version]) => [secret, Number(version)] as const,
  );
}

/** Longest time until a node is told of a new version. */
export const PROPAGATION_MS = 3_000;
const REQUEST_TIMEOUT_MS = 10_000;
const SESSION_MS = 3_600_000;

class AwsError extends Error {
  readonly $fault = 'client';
  readonly $metadata: { readonly httpStatusCode: number; readonly requestId: string };

  constructor(name: string, status: number, message: string) {
    super(message);
    this.name = name;
    this.$metadata = { httpStatusCode: status, requestId: '11111111-2222-3333-4444-555555555555' };
  }
}

interface Input {
  readonly SecretId?: string;
  readonly SecretIdList?: readonly string[];
}

/** The part of the SDK's commands that is used here. */
interface Command {
  readonly input: Input;
  readonly middlewareStack: {
    resolve(handler: (args: object) => Promise<object>, context: object): (args: object) => Promise<object>;
  };
}

export function createAwsModel(world: Clock, random: Random): AwsModel {
  const calls: AwsCall[] = [];
  /** When each version came, by secret. */
  const versions = new Map<string, number[]>();
  /** When each role was allowed what. */
  const grants = new Map<string, Span[]>();
  const delays = new Map<string, number>();
  let fault: AwsFault | undefined;

  function mayRead(role: string, secret: string): boolean {
    return grants.get(`${role} ${secret}`)?.at(-1)?.to === Infinity;
  }

  /** A node is told of a version some time after it came, and never of an older one afterwards. */
  function shown(node: string, secret: string): number {
    const delay = delays.get(node) ?? random.int(0, PROPAGATION_MS);
    delays.set(node, delay);
    const times = versions.get(secret) ?? [];
    return Math.max(1, times.filter((at) => at + delay <= world.now()).length);
  }

  async function reach(action: string, node: string, identity: string, process: Process): Promise<void> {
    const sentAt = world.now();
    await process.clock.sleep(random.int(5, 80));
    calls.push({ at: world.now(), action, node, identity });
    if (fault === 'silent') {
      await process.clock.sleep(REQUEST_TIMEOUT_MS);
      throw Object.assign(new Error('no answer'), { name: 'TimeoutError' });
    }
    if (fault === 'down') {
      throw new AwsError('InternalServiceError', 500, 'An error occurred on the server side.');
    }
    if (fault === 'throttles' && random.next() < 0.7) {
      throw new AwsError('ThrottlingException', 400, 'Rate exceeded');
    }
    process.clock.onResponse(new Date(world.wallNow()).toUTCString(), sentAt);
  }

  function entryOf(node: string, secret: string): object {
    const version = shown(node, secret);
    return {
      Name: secret,
      ARN: `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${secret}-AbCdEf`,
      VersionId: `${secret}-${String(version).padStart(32, '0')}`,
      SecretString: valueOf(secret, version),
    };
  }

  function answer(node: string, role: string, action: string, { SecretId = '', SecretIdList = [] }: Input): object {
    if (action === 'BatchGetSecretValue') {
      const known = SecretIdList.filter((secret) => versions.has(secret) && mayRead(role, secret));
      return { SecretValues: known.map((secret) => entryOf(node, secret)), Errors: [] };
    }
    if (!mayRead(role, SecretId)) {
      throw new AwsError('AccessDeniedException', 400, `${role} is not authorized to perform: ${action}`);
    }
    if (!versions.has(SecretId)) {
      throw new AwsError('ResourceNotFoundException', 400, "Secrets Manager can't find the specified secret.");
    }
    return entryOf(node, SecretId);
  }

  return {
    calls,
    get fault() {
      return fault;
    },
    set fault(next) {
      fault = next;
    },
    rotate(secret) {
      const times = versions.get(secret) ?? [];
      times.push(world.now());
      versions.set(secret, times);
      return times.length;
    },
    names: () => [...versions.keys()],
    currentOf: (secret) => versions.get(secret)?.length ?? 0,
    allow(role, secret, isAllowed) {
      const spans = grants.get(`${role} ${secret}`) ?? [];
      grants.set(`${role} ${secret}`, spans);
      const last = spans.at(-1);
      if (isAllowed && last?.to !== Infinity) {
        spans.push({ from: world.now(), to: Infinity });
      } else if (!isAllowed && last?.to === Infinity) {
        last.to = world.now();
      }
    },
    couldRead(role, secret, version, from, to) {
      const times = versions.get(secret) ?? [];
      const begins = times[version - 1] ?? Infinity;
      const ends = (times[version] ?? Infinity) + PROPAGATION_MS;
      const spans = grants.get(`${role} ${secret}`) ?? [];
      return spans.some((span) => Math.max(span.from, begins, from) <= Math.min(span.to, ends, to));
    },
    mayRead,
    clientsFor(node, process) {
      function storeOf(_region: string, { accessKeyId: role }: Credentials): never {
        const client = {
          async send(command: Command): Promise<object> {
            const action = command.constructor.name.replace(/Command$/, '');
            // Through the middleware that gives each try its place among the others.
            const handler = command.middlewareStack.resolve(async () => {
              await reach(action, node, role, process);
              return { output: answer(node, role, action, command.input) };
            }, {});
            const { output } = (await handler({ input: command.input })) as { readonly output: object };
            return output;
          },
        };
        return client as never;
      }
      return {
        async assumeRoleWithWebIdentity(_region, { roleArn, token }) {
          await reach('AssumeRoleWithWebIdentity', node, roleArn, process);
          const claims = readToken(token.exposeText());
          if (
            claims === undefined ||
            claims.exp * 1_000 < world.wallNow() ||
            !roleArn.endsWith(`/${subjectOf(claims)}`)
          ) {
            throw new AwsError('InvalidIdentityToken', 400, 'The token is not for this role, or has expired.');
          }
          return {
            accessKeyId: roleArn,
            secretAccessKey: 'secret',
            sessionToken: 'session',
            expiration: new Date(world.wallNow() + SESSION_MS),
          };
        },
        secretsManager: storeOf,
        ssm: storeOf,
        [Symbol.dispose]: () => undefined,
      };
    },
  };
}
