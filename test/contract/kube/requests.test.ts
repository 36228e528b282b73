import { describe, expect, it } from 'vitest';
import { ProviderError } from '../../../src/model/errors.ts';
import type { KubeRequest } from '../../../src/kube/request.ts';
import { failureOf, NEVER, startKube } from './kube-fixture.ts';
import { getObject } from '../../../src/kube/get.ts';

const SECRET = { resource: 'secrets', namespace: 'shop', name: 'db' } as const;
const BODY = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'db' } };
const CREATE: KubeRequest = { verb: 'create', ...SECRET, body: BODY };
/** By the same connections as the writes. */
const LIST: KubeRequest = { verb: 'list', resource: 'secrets' };
const WRITES: readonly (readonly [string, KubeRequest])[] = [
  ['create', CREATE],
  ['apply', { verb: 'apply', ...SECRET, body: BODY, query: { fieldManager: 'm' } }],
  ['merge', { verb: 'merge', ...SECRET, body: { data: { a: 'YQ==' } } }],
  ['delete', { verb: 'delete', ...SECRET, body: { preconditions: {} } }],
];

describe('a request', () => {
  it('escapes names that Kubernetes does not allow within the path', async () => {
    await using fixture = await startKube();

    await failureOf(getObject(fixture.kube, { resource: 'pods', namespace: '../x', name: 'a/b?c#d' }, NEVER));

    expect(fixture.api.requests).toEqual(['GET /api/v1/namespaces/..%2Fx/pods/a%2Fb%3Fc%23d']);
  });

  it.for(WRITES)('to %s is repeated if the idle connection had been closed', async ([, request]) => {
    await using fixture = await startKube({
      objects: request === CREATE ? [] : [{ kind: 'Secret', metadata: { namespace: 'shop', name: 'db' } }],
    });
    await fixture.kube.ask(LIST, NEVER);

    fixture.api.dropConnections();
    const { status } = await fixture.kube.ask(request, NEVER);

    expect(status).toBe(request === CREATE ? 201 : 200);
    expect(fixture.api.connections).toBe(2);
  });

  it.for(WRITES)('to %s is not repeated if the idle connection breaks within the response', async ([, request]) => {
    await using fixture = await startKube({
      objects: request === CREATE ? [] : [{ kind: 'Secret', metadata: { namespace: 'shop', name: 'db' } }],
    });
    await fixture.kube.ask(LIST, NEVER);
    const broken = fixture.api.inject({ kind: 'half-answer' }, (method) => method !== 'GET');

    const error = await failureOf(fixture.kube.ask(request, NEVER));
    broken[Symbol.dispose]();
    // A repeated one would have been sent before this one.
    await fixture.kube.ask(LIST, NEVER);

    expect(error.reason).toBe('KubernetesUnavailable');
    expect(fixture.api.requests.map((each) => each.startsWith('GET'))).toEqual([true, false, true]);
  });

  it.for(WRITES)('to %s leaves the connection usable for the next one', async ([, request]) => {
    await using fixture = await startKube({
      objects: request === CREATE ? [] : [{ kind: 'Secret', metadata: { namespace: 'shop', name: 'db' } }],
    });

    await fixture.kube.ask(request, NEVER);
    const { status } = await fixture.kube.ask(LIST, NEVER);

    expect(status).toBe(200);
    expect(fixture.api.connections).toBe(1);
  });

  it.for(WRITES)("to %s ends with its signal, with the signal's reason", async ([, request]) => {
    await using fixture = await startKube();
    fixture.api.fault = { kind: 'hang' };
    const ends = new AbortController();
    const asking = failureOf(fixture.kube.ask(request, ends.signal));

    ends.abort(new ProviderError('DeadlineExceeded', 'the turn is over'));

    await expect(asking).resolves.toMatchObject({ reason: 'DeadlineExceeded', message: 'the turn is over' });
  });

  it('ends at the deadline', async () => {
    await using fixture = await startKube({ timeoutMs: 100 });
    fixture.api.fault = { kind: 'hang' };

    const error = await failureOf(fixture.kube.ask(CREATE, NEVER));

    expect(error).toMatchObject({
      reason: 'KubernetesUnavailable',
      message: 'cannot create Secret "shop/db": API server: no answer within 100 ms',
    });
  });
});
