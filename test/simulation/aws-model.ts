import type { Clients, Credentials } from '../../src/aws/client/clients.ts';
import type { Clock } from '../../src/concurrency/clock.ts';
import { readToken, subjectOf } from '../fakes/aws/web-token.ts';
import type { Random } from '../fakes/random.ts';
import { type AwsAccount, createAwsAccount, valueOf } from './aws-account.ts';
import type { Process } from './process.ts';

/** One call, as it reached AWS. */
export interface AwsCall {
  /** Milliseconds of the world's clock. */
  readonly at: number;
  readonly action: string;
  readonly node: string;
  readonly role: string;
  /** Secrets or parameters that were asked for. */
  readonly names: readonly string[];
}

/** What AWS does instead of answering; undefined: it answers. */
export type AwsFault = 'down' | 'throttles' | 'silent';

/** An account of AWS, its services, and its bad days. */
export interface AwsModel extends AwsAccount {
  readonly calls: readonly AwsCall[];
  fault: AwsFault | undefined;
  /** Roles lack the permission for batch calls. */
  deniesBatches: boolean;
  clientsFor(node: string, process: Process): Clients;
}

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
  readonly Names?: readonly string[];
}

/** The part of the SDK's commands that is used here. */
interface Command {
  readonly input: Input;
  readonly middlewareStack: {
    resolve(handler: (args: object) => Promise<object>, context: object): (args: object) => Promise<object>;
  };
}

/** Who makes a call. */
interface Caller {
  readonly node: string;
  readonly role: string;
  readonly process: Process;
}

function denied(role: string, action: string): AwsError {
  return new AwsError('AccessDeniedException', 400, `${role} is not authorized to perform: ${action}`);
}

export function createAwsModel(clock: Clock, random: Random): AwsModel {
  const calls: AwsCall[] = [];
  const account = Object.assign(createAwsAccount(clock, random), {
    calls,
    fault: undefined as AwsFault | undefined,
    deniesBatches: false,
    clientsFor,
  });

  async function reach(action: string, names: readonly string[], { node, role, process }: Caller): Promise<void> {
    const sentAt = clock.now();
    await process.clock.sleep(random.int(5, 80));
    calls.push({ at: clock.now(), action, node, role, names });
    if (account.fault === 'silent') {
      await process.clock.sleep(REQUEST_TIMEOUT_MS);
      throw Object.assign(new Error('no answer'), { name: 'TimeoutError' });
    }
    if (account.fault === 'down') {
      throw new AwsError('InternalServiceError', 500, 'An error occurred on the server side.');
    }
    if (account.fault === 'throttles' && random.next() < 0.7) {
      throw new AwsError('ThrottlingException', 400, 'Rate exceeded');
    }
    process.clock.onResponse(new Date(clock.wallNow()).toUTCString(), sentAt);
  }

  function mayRead(role: string, name: string): boolean {
    return account.currentOf(name) > 0 && account.mayRead(role, name);
  }

  function secretOf(node: string, name: string): object {
    const version = account.shownTo(node, name);
    return {
      Name: name,
      ARN: `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-AbCdEf`,
      VersionId: `${name}-${String(version).padStart(32, '0')}`,
      SecretString: valueOf(name, version),
    };
  }

  function parameterOf(node: string, name: string): object {
    const version = account.shownTo(node, name);
    return { Name: name, Version: version, Value: valueOf(name, version) };
  }

  function answer(
    { node, role }: Caller,
    action: string,
    { SecretId = '', SecretIdList = [], Names = [] }: Input,
  ): object {
    switch (action) {
      case 'BatchGetSecretValue': {
        if (account.deniesBatches) {
          throw denied(role, `secretsmanager:${action}`);
        }
        const known = SecretIdList.filter((name) => mayRead(role, name));
        return { SecretValues: known.map((name) => secretOf(node, name)), Errors: [] };
      }
      case 'GetParameters': {
        // One name that is refused is enough to refuse the call.
        if (Names.some((name) => !mayRead(role, name))) {
          throw denied(role, `ssm:${action}`);
        }
        return { Parameters: Names.map((name) => parameterOf(node, name)), InvalidParameters: [] };
      }
      default: {
        if (!mayRead(role, SecretId)) {
          throw denied(role, `secretsmanager:${action}`);
        }
        return secretOf(node, SecretId);
      }
    }
  }

  function clientsFor(node: string, process: Process): Clients {
    function storeOf(_region: string, { accessKeyId: role, expiration }: Credentials): never {
      const caller: Caller = { node, role, process };
      const client = {
        async send(command: Command): Promise<object> {
          const { input } = command;
          const action = command.constructor.name.replace(/Command$/, '');
          // Through the middleware that gives each try its place among the others.
          const handler = command.middlewareStack.resolve(async () => {
            await reach(action, input.SecretIdList ?? input.Names ?? [input.SecretId ?? ''], caller);
            if (expiration.getTime() < clock.wallNow()) {
              throw new AwsError('ExpiredTokenException', 400, 'The security token included in the request is expired');
            }
            return { output: answer(caller, action, input) };
          }, {});
          const { output } = (await handler({ input })) as { readonly output: object };
          return output;
        },
      };
      return client as never;
    }
    return {
      async assumeRoleWithWebIdentity(_region, { roleArn, token }) {
        await reach('AssumeRoleWithWebIdentity', [], { node, role: roleArn, process });
        const claims = readToken(token.exposeText());
        if (
          claims === undefined ||
          claims.exp * 1_000 < clock.wallNow() ||
          !roleArn.endsWith(`/${subjectOf(claims)}`)
        ) {
          throw new AwsError('InvalidIdentityToken', 400, 'The token is not for this role, or has expired.');
        }
        return {
          accessKeyId: roleArn,
          secretAccessKey: 'secret',
          sessionToken: 'session',
          expiration: new Date(clock.wallNow() + SESSION_MS),
        };
      },
      secretsManager: storeOf,
      ssm: storeOf,
      [Symbol.dispose]: () => undefined,
    };
  }

  return account;
}
