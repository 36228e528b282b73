import { createServer, type Server } from 'node:https';
import { REGION, roleArn } from './accounts.ts';
import type { CallCounter } from './aws/call-counter.ts';

export const NODE_NAME = 'bench-node';

interface ApiServerSettings {
  readonly cert: string;
  readonly key: string;
  readonly calls: CallCounter;
  /** Further objects by path; those at paths of pods run on the node. */
  readonly objects: () => ReadonlyMap<string, object>;
  /** Milliseconds before each answer. */
  readonly latencyMs: () => number;
}

/** A Kubernetes API server in which every service account exists and has a role, and every pod runs on the one node. What is written is not kept. */
export function createApiServer({ cert, key, calls, objects, latencyMs }: ApiServerSettings): Server {
  return createServer({ cert, key, keepAliveTimeout: 65_000 }, (request, response) => {
    const [status, body] = answer(request.method, request.url, request.headers.authorization, calls, objects());
    setTimeout(() => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    }, latencyMs());
  });
}

function answer(
  method = '',
  url = '',
  authorization: string | undefined,
  calls: CallCounter,
  objects: ReadonlyMap<string, object>,
): readonly [number, object] {
  if (!authorization?.startsWith('Bearer ')) {
    return refuse(401, 'Unauthorized');
  }
  const path = url.split('?')[0] ?? '';
  const [, namespace, inNamespace, named] =
    /^\/apis?\/(?:v1|[^/]+\/v1)\/namespaces\/([^/]+)\/([^/]+)(?:\/([^/]+))?$/.exec(path) ?? [];
  const [, node] = /^\/api\/v1\/nodes\/([^/]+)$/.exec(path) ?? [];
  const resource = node === undefined ? (inNamespace ?? path) : 'nodes';
  calls.count(`${method} ${resource}`);
  const object = objects.get(path);
  if (object !== undefined && (method === 'GET' || method === 'PATCH')) {
    return [200, object];
  }
  const [, cluster] = /^\/apis?\/(?:v1|[^/]+\/v1)\/(pods|secretproviderclasspodstatuses)$/.exec(path) ?? [];
  if (method === 'GET' && cluster !== undefined) {
    return [200, { items: [...objects].flatMap(([at, item]) => (at.includes(`/${cluster}/`) ? [item] : [])) }];
  }
  if (method === 'POST' && resource === 'events') {
    return [201, { kind: 'Event', metadata: { namespace, name: 'event' } }];
  }
  if (method === 'GET' && node !== undefined) {
    return [200, { kind: 'Node', metadata: { name: node, labels: { 'topology.kubernetes.io/region': REGION } } }];
  }
  if (method === 'GET' && namespace !== undefined && named !== undefined) {
    switch (resource) {
      case 'serviceaccounts':
        return [
          200,
          {
            apiVersion: 'v1',
            kind: 'ServiceAccount',
            metadata: {
              namespace,
              name: named,
              annotations: { 'eks.amazonaws.com/role-arn': roleArn({ namespace, name: named }) },
            },
          },
        ];
      case 'pods':
        return [200, { kind: 'Pod', metadata: { namespace, name: named }, spec: { nodeName: NODE_NAME } }];
    }
  }
  return refuse(404, `the stand-in has no ${method} ${path}`);
}

function refuse(code: number, message: string): readonly [number, object] {
  return [code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code }];
}
