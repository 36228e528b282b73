import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, SYSTEM_CLOCK } from '../../../src/concurrency/clock.ts';
import { answerBatch } from './answer-batch.ts';
import { answerParameters } from './answer-parameters.ts';
import { denial, sendError, sendJson, UNKNOWN_KEY } from './answers.ts';
import { type AwsRequest, readAwsRequest } from './aws-request.ts';
import type { Certificates } from './certificates.ts';
import type { Fault } from './faults.ts';
import { GateState } from './gate-state.ts';
import { accountOf, isAllowed, resourceArn } from './policy.ts';
import { refuseToken } from './trust.ts';
import { type Upstream, upstreamTo } from './upstream.ts';

/**
 * Stands between a client and moto and adds what moto lacks of AWS: which role may do what, denials in AWS's words, and outages.
 * It learns from STS's responses to which role an access key belongs.
 */
export interface Gate extends AsyncDisposable {
  readonly url: string;
  readonly state: GateState;
  /** Connections accepted so far. */
  connections(): number;
  /** Whether requests are in progress, except for those that are held. */
  isBusy(): boolean;
}

export interface GateOptions {
  readonly motoUrl: string;
  /** Serve TLS with these. */
  readonly certificates?: Certificates;
  /** Issuer of the tokens that STS accepts; default: that of `mintToken`. */
  readonly issuer?: string;
  /** Of the `Date` in its answers. */
  readonly clock?: Clock;
}

export async function startGate({ motoUrl, certificates, issuer, clock = SYSTEM_CLOCK }: GateOptions): Promise<Gate> {
  const state = new GateState();
  const upstream = upstreamTo(motoUrl);
  let connections = 0;
  let underWay = 0;
  const server = certificates === undefined ? createServer() : createTlsServer(certificates);
  server.on(certificates === undefined ? 'connection' : 'secureConnection', () => {
    connections += 1;
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    underWay += 1;
    response.once('close', () => {
      underWay -= 1;
    });
    handle(request, response, { state, upstream, issuer, clock }).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error('gate failed'));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `${certificates === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    state,
    connections: () => connections,
    isBusy: () => underWay > state.held,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

interface Deps {
  readonly state: GateState;
  readonly upstream: Upstream;
  readonly issuer: string | undefined;
  readonly clock: Clock;
}

async function handle(incoming: IncomingMessage, response: ServerResponse, deps: Deps): Promise<void> {
  const request = readAwsRequest(incoming, await buffer(incoming));
  deps.state.record(request, incoming.headers['user-agent']);
  // The provider takes its time from AWS: where a test holds the time, this is the same.
  response.setHeader('date', new Date(deps.clock.wallNow() + deps.state.aheadMs).toUTCString());
  for (const fault of deps.state.takeFaults(request)) {
    if (!(await passes(fault, { request, socket: incoming.socket, response, state: deps.state }))) {
      return;
    }
  }
  if (request.action === 'sts:AssumeRoleWithWebIdentity') {
    await openSession(request, incoming, response, deps);
  } else {
    await answer(request, incoming, response, deps);
  }
}

interface Befallen {
  readonly request: AwsRequest;
  readonly socket: Socket;
  readonly response: ServerResponse;
  readonly state: GateState;
}

/** @returns whether the request gets a response */
async function passes(fault: Fault, { request, socket, response, state }: Befallen): Promise<boolean> {
  if (fault.kind === 'delay') {
    await sleep(fault.ms);
    return true;
  }
  if (fault.kind === 'hold') {
    state.held += 1;
    await fault.until.finally(() => {
      state.held -= 1;
    });
    return true;
  }
  if (fault.kind === 'error') {
    sendError(response, request, fault);
  } else if (fault.kind === 'reset') {
    socket.resetAndDestroy();
  } else if (fault.kind === 'garble') {
    response.writeHead(fault.status).end(fault.body);
  } else if (fault.kind === 'stall') {
    response.writeHead(200).write(fault.body);
  }
  return false;
}

async function openSession(
  request: AwsRequest,
  incoming: IncomingMessage,
  response: ServerResponse,
  { state, upstream, issuer }: Deps,
): Promise<void> {
  const { RoleArn, WebIdentityToken } = request.parameters;
  const role = state.roles.get(String(RoleArn));
  const refused = refuseToken(String(WebIdentityToken), role, issuer);
  if (role === undefined || refused !== undefined) {
    sendError(response, request, refused ?? UNKNOWN_KEY);
    return;
  }
  await passOn(request, incoming, response, { state, upstream });
}

/** Forwards to moto; if that opens a session, records the role of its key. */
async function passOn(
  { action, parameters, body }: AwsRequest,
  incoming: IncomingMessage,
  response: ServerResponse,
  { state, upstream }: Pick<Deps, 'state' | 'upstream'>,
): Promise<void> {
  const answered = await upstream(incoming.headers, body);
  const role = state.roles.get(String(parameters['RoleArn']));
  const [, accessKey] = /<AccessKeyId>([^<]+)</.exec(answered.body.toString()) ?? [];
  if (action.startsWith('sts:AssumeRole') && role !== undefined && accessKey !== undefined) {
    state.sessions.set(accessKey, { role, name: String(parameters['RoleSessionName']) });
  }
  const { 'x-amzn-requestid': requestId = '', 'content-type': type = '' } = answered.headers;
  response.writeHead(answered.status, { 'content-type': type, 'x-amzn-requestid': requestId }).end(answered.body);
}

async function answer(
  request: AwsRequest,
  incoming: IncomingMessage,
  response: ServerResponse,
  { state, upstream }: Deps,
): Promise<void> {
  const { headers } = incoming;
  const session = state.sessions.get(request.accessKey ?? '');
  if (session === undefined) {
    sendError(response, request, UNKNOWN_KEY);
    return;
  }
  const isBatch = request.action === 'secretsmanager:BatchGetSecretValue';
  const asked = isBatch ? ['*'] : request.resources;
  const denied = asked.find((name) => {
    const arn = isBatch ? name : resourceArn(request.service, name, request.region, accountOf(session.role.arn));
    return !isAllowed(session.role, request.action, arn);
  });
  if (denied !== undefined) {
    sendError(response, request, denial(request, session, denied));
  } else if (isBatch) {
    sendJson(response, 200, await answerBatch(request, session, headers, upstream));
  } else if (request.action === 'ssm:GetParameters') {
    sendJson(response, 200, await answerParameters(request, headers, upstream));
  } else {
    await passOn(request, incoming, response, { state, upstream });
  }
}
