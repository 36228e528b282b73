import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { ApiError } from './aws/api-error.ts';
import { getParameters } from './aws/parameter-store.ts';
import { batchGetSecretValue, getSecretValue } from './aws/secrets-manager.ts';
import type { Action, CloudState } from './aws/state.ts';
import { assumeRole, assumeRoleWithWebIdentity } from './aws/sts.ts';

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** STS speaks AWS's query protocol, the stores speak its JSON 1.1; they share a port here. */
export function createAwsStandIn(tls: { readonly cert: string; readonly key: string }, state: CloudState): Server {
  return createServer({ ...tls, keepAliveTimeout: 65_000 }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const answer = answerTo(request, Buffer.concat(chunks).toString(), state);
      setTimeout(() => send(response, answer), state.settings.latencyMs);
    });
  });
}

function send(response: ServerResponse, { status, contentType, body }: Answer): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'x-amzn-requestid': randomUUID(),
  });
  response.end(body);
}

function answerTo({ headers }: IncomingMessage, body: string, state: CloudState): Answer {
  const target = headers['x-amz-target'];
  return typeof target === 'string'
    ? answerOfStore(target.replace(/^AmazonSSM\./, 'ssm:').replace('.', ':'), headers.authorization, body, state)
    : answerOfSts(new URLSearchParams(body), state);
}

function answerOfStore(name: string, authorization: string | undefined, body: string, state: CloudState): Answer {
  const contentType = 'application/x-amz-json-1.1';
  try {
    const ask = gate(name, STORES, state);
    const answer = ask(JSON.parse(body), state, state.sessions.roleOf(authorization));
    return { status: 200, contentType, body: JSON.stringify(answer) };
  } catch (error) {
    const { code, message } = refusal(error, state);
    return { status: 400, contentType, body: JSON.stringify({ __type: code, Message: message }) };
  }
}

function answerOfSts(parameters: URLSearchParams, state: CloudState): Answer {
  const contentType = 'text/xml';
  try {
    const ask = gate(`sts:${parameters.get('Action')}`, STS, state);
    return { status: 200, contentType, body: ask(parameters, state, '') };
  } catch (error) {
    const { code, message } = refusal(error, state);
    const xml = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>${randomUUID()}</RequestId></ErrorResponse>`;
    return { status: code === 'AccessDenied' ? 403 : 400, contentType, body: xml };
  }
}

type Calls<Request, Content> = Readonly<
  Partial<Record<Action, (request: Request, state: CloudState, role: string) => Content>>
>;

const STORES: Calls<object, object> = {
  'secretsmanager:GetSecretValue': getSecretValue,
  'secretsmanager:BatchGetSecretValue': batchGetSecretValue,
  'ssm:GetParameters': getParameters,
};

const STS: Calls<URLSearchParams, string> = {
  'sts:AssumeRoleWithWebIdentity': assumeRoleWithWebIdentity,
  'sts:AssumeRole': assumeRole,
};

/** Counts a call, and refuses it where it comes too fast or no policy allows it; else gives what answers it. */
function gate<Call>(name: string, known: Readonly<Partial<Record<Action, Call>>>, state: CloudState): Call {
  const { calls, settings, buckets } = state;
  calls.count(name);
  const action = name as Action;
  const call = Object.hasOwn(known, name) ? known[action] : undefined;
  if (call === undefined) {
    throw new ApiError('UnknownOperationException', `the stand-in knows no ${name}`);
  }
  const rate = settings.rates[action];
  if (rate !== undefined && !buckets.take(action, rate)) {
    throw new ApiError(action.startsWith('sts:') ? 'Throttling' : 'ThrottlingException', 'Rate exceeded');
  }
  if (settings.denied.includes(action)) {
    throw new ApiError(
      'AccessDeniedException',
      `User is not authorized to perform: ${action} because no identity-based policy allows the ${action} action`,
    );
  }
  return call;
}

/** @throws what is a bug of ours */
function refusal(error: unknown, { calls }: CloudState): ApiError {
  if (!(error instanceof ApiError)) {
    throw error;
  }
  if (error.code.startsWith('Throttling')) {
    calls.countRefusal('throttled');
  } else if (error.code.startsWith('AccessDenied')) {
    calls.countRefusal('denied');
  }
  return error;
}
