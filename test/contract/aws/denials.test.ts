import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Seed } from '../../fakes/aws/seed.ts';
import type { AwsFakes } from '../../fakes/aws/start-aws-fakes.ts';
import {
  failure,
  fetchAll,
  fetcherWith,
  openFakes,
  parameter,
  podSpec,
  reasons,
  secret,
  settingsFor,
} from './fetch-fixture.ts';

let fakes: AwsFakes;
let seed: Seed;
const { signal } = new AbortController();

beforeAll(async () => {
  fakes = await openFakes();
  seed = await fakes.seed();
});

afterAll(() => fakes[Symbol.asyncDispose]());

/** A fetcher whose role may read names that begin with `open`. */
function openReader() {
  const resources = [
    `arn:aws:secretsmanager:*:${fakes.account}:secret:open*`,
    `arn:aws:ssm:*:${fakes.account}:parameter/open*`,
  ];
  const actions = ['secretsmanager:GetSecretValue', 'ssm:GetParameters'];
  return fetcherWith(
    settingsFor(fakes.gate.url),
    fakes.addRole('open-reader', ['shop/cart'], [{ actions, resources }]),
  );
}

it('names each secret that is denied, the identity, and the permission to allow', async () => {
  using fetcher = openReader();
  await seed.secret('open-1', 'v');
  await seed.secret('closed-1', 'v');

  const outcomes = await fetchAll(fetcher, podSpec([secret('closed-1'), secret('open-1'), secret('closed-2')]), signal);

  expect(reasons(outcomes)).toEqual(['AccessDenied', 'value v', 'AccessDenied']);
  expect(failure(outcomes[0]).object).toBe('closed-1');
  expect(failure(outcomes[2]).object).toBe('closed-2');
  expect(failure(outcomes[0]).message).toMatch(
    new RegExp(
      [
        '^Failed fetching secret closed-1: 400: us-east-1: AccessDeniedException: User: ',
        `arn:aws:sts::${fakes.account}:assumed-role/open-reader/shop\\.cart is not authorized to perform: secretsmanager:GetSecretValue.*`,
        `\\(request id [-0-9a-f]+, as role arn:aws:iam::${fakes.account}:role/open-reader of service account shop/cart\\): `,
        `allow secretsmanager:GetSecretValue on arn:aws:secretsmanager:us-east-1:${fakes.account}:secret:closed-1-\\?{6} in a policy of this role$`,
      ].join(''),
    ),
  );
});

it('names each parameter that is denied, although AWS refuses the whole call', async () => {
  using fetcher = openReader();
  await seed.parameter('/open/1', 'one');
  await seed.parameter('/open/2', 'two');
  await seed.parameter('/closed/1', 'v');

  const outcomes = await fetchAll(
    fetcher,
    podSpec([parameter('/open/1'), parameter('/closed/1'), parameter('/open/2'), parameter('/closed/2')]),
    signal,
  );

  expect(reasons(outcomes)).toEqual(['value one', 'AccessDenied', 'value two', 'AccessDenied']);
  expect(failure(outcomes[1]).message).toContain('Failed fetching parameters: /closed/1: 400: us-east-1: AccessDenied');
  expect(failure(outcomes[3]).message).toContain(
    `allow ssm:GetParameters on arn:aws:ssm:us-east-1:${fakes.account}:parameter/closed/2 in a policy of this role`,
  );
});

it('reports missing objects, by name, version and label', async () => {
  using fetcher = openReader();
  await seed.secret('open-2', 'v');
  await seed.parameter('/open/3', 'v');

  const outcomes = await fetchAll(
    fetcher,
    podSpec([
      secret('open-none'),
      secret('open-2', { label: 'NO-SUCH-STAGE' }),
      secret('open-2', { version: '00000000-0000-0000-0000-000000000000' }),
      parameter('/open/none'),
      parameter('/open/3', { version: '9' }),
      parameter('/open/3', { label: 'none' }),
    ]),
    signal,
  );

  expect(reasons(outcomes)).toEqual(Array.from({ length: 6 }, () => 'ObjectNotFound'));
  expect(failure(outcomes[0]).message).toContain('check its name, version and label, and that it is in us-east-1');
  expect(failure(outcomes[3]).message).toContain('400: us-east-1: invalid parameters: /open/none');
  expect(failure(outcomes[4]).message).toContain('invalid parameters: /open/3:9');
});

it('reports a secret that is scheduled for deletion', async () => {
  using fetcher = openReader();
  await seed.secret('open-doomed', 'v');
  await seed.deleteSecret('open-doomed');

  const [outcome] = await fetchAll(fetcher, podSpec([secret('open-doomed')]), signal);

  expect(failure(outcome)).toMatchObject({ reason: 'ObjectRefused', object: 'open-doomed' });
  expect(failure(outcome).message).toContain('restore it, or remove it from the class');
});

it('keeps the request, the session token and the response out of its errors', async () => {
  using fetcher = openReader();

  const [outcome] = await fetchAll(fetcher, podSpec([secret('closed-3')]), signal);

  expect(failure(outcome)).not.toHaveProperty('cause');
});
