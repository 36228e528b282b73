import { createServer, type Server } from 'node:http';
import { AWS_ACCOUNT, roleNameOfToken } from '../accounts.ts';
import type { CloudState } from './state.ts';

const AUDIENCE = 'pods.eks.amazonaws.com';
const ACTION = 'eks-auth:AssumeRoleForPodIdentity';

/** The EKS Pod Identity agent: every service account is associated with its own role. */
export function createPodIdentityAgent(state: CloudState): Server {
  return createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    state.calls.count(ACTION);
    const [status, body] = answer(request.url, request.headers.authorization ?? '', state);
    setTimeout(() => {
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
      response.end(body);
    }, state.settings.latencyMs);
  });
}

function answer(path: string | undefined, token: string, state: CloudState): readonly [number, string] {
  const rate = state.settings.rates[ACTION];
  if (rate !== undefined && !state.buckets.take(ACTION, rate)) {
    state.calls.countRefusal('throttled');
    return [429, 'ThrottlingException: Rate exceeded'];
  }
  const role = roleNameOfToken(token, AUDIENCE);
  if (path !== '/v1/credentials' || role === undefined) {
    return [400, 'InvalidRequestException: the token is not valid'];
  }
  const session = state.sessions.open(role);
  return [
    200,
    JSON.stringify({
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      Token: session.sessionToken,
      AccountId: AWS_ACCOUNT,
      Expiration: session.expiration.toISOString(),
    }),
  ];
}
