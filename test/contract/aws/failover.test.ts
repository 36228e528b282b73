import { IMPATIENT } from '../../fakes/aws/settings.ts';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Fault, OUTAGE, THROTTLED } from '../../fakes/aws/faults.ts';
import {
  confirmVersions,
  failure,
  fetchAll,
  fetched,
  newFetcher,
  parameter,
  podSpec,
  reasons,
  secret,
  settingsFor,
  texts,
  useFetcher,
} from './fetch-fixture.ts';

const { signal } = new AbortController();
const FIRST = { region: 'us-east-1' };
const SECOND = { region: 'us-west-2' };
const TWO_REGIONS = { regions: ['us-east-1', 'us-west-2'] } as const;
const aws = useFetcher(async (fakes) => {
  const [east, west] = [await fakes.seed('us-east-1'), await fakes.seed('us-west-2')];
  await Promise.all([
    east.secret('a', 'a in the east'),
    east.secret('b', 'b in the east'),
    east.parameter('/p', 'p in the east'),
  ]);
  await Promise.all([
    west.secret('a', 'a in the west'),
    west.secret('b', 'b in the west'),
    west.parameter('/p', 'p in the west'),
  ]);
}, IMPATIENT);

it.for([
  ['answers with errors', OUTAGE],
  ['does not answer', { kind: 'hang' }],
  ['breaks connections', { kind: 'reset' }],
] as const satisfies [string, Fault][])('uses the second region when the first %s', async ([, fault]) => {
  using _ = aws.fakes.gate.state.inject(fault, FIRST);

  const outcomes = await fetchAll(aws.fetcher, podSpec([secret('a'), parameter('/p')], TWO_REGIONS), signal);

  expect(texts(outcomes)).toEqual(['a in the west', 'p in the west']);
});

it.for([
  ['answers with errors', OUTAGE],
  ['does not answer', { kind: 'hang' }],
] as const satisfies [string, Fault][])(
  'does not call the first region again if its check of versions %s',
  async ([, fault]) => {
    const roleArn = aws.fakes.addRole('reader', ['shop/cart']);
    using remembering = newFetcher({
      settings: settingsFor(aws.fakes.gate.url, IMPATIENT),
      roleOf: async () => roleArn,
      limits: { intervalMs: 60_000, cacheMaxBytes: 0, deadlineMs: 60_000 },
    });
    const spec = podSpec([secret('a')], TWO_REGIONS);
    const values = { ...FIRST, action: 'secretsmanager:GetSecretValue' };
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const { version } = fetched((await fetchAll(remembering, spec, signal))[0]);
    vi.advanceTimersByTime(60_001);
    const before = aws.fakes.gate.state.count(values);
    using _ = aws.fakes.gate.state.inject(fault, FIRST);

    const confirmedAt = await confirmVersions(remembering, spec, new Map([['a', version]]), signal);
    const outcomes = await fetchAll(remembering, spec, signal);

    expect(confirmedAt).toBeUndefined();
    expect(texts(outcomes)).toEqual(['a in the west']);
    // One request, with its two attempts.
    expect(aws.fakes.gate.state.count(values)).toBe(before + 2);
  },
);

it('uses the name and version that the class sets for the second region', async () => {
  const west = await aws.fakes.seed('us-west-2');
  const { version } = await west.secret('a-replica', 'replica');
  await west.secretVersion('a-replica', 'later');
  using _ = aws.fakes.gate.state.inject(OUTAGE, FIRST);

  const [outcome] = await fetchAll(
    aws.fetcher,
    podSpec([secret('a', {}, { name: 'a-replica', version })], TWO_REGIONS),
    signal,
  );

  expect(fetched(outcome)).toMatchObject({ version });
});

it('never uses the second region while the first responds', async () => {
  const before = aws.fakes.gate.state.count(SECOND);

  const outcomes = await fetchAll(aws.fetcher, podSpec([secret('a'), parameter('/p')], TWO_REGIONS), signal);

  expect(texts(outcomes)).toEqual(['a in the east', 'p in the east']);
  expect(aws.fakes.gate.state.count(SECOND)).toBe(before);
});

describe('a refusal of the first region is final', () => {
  it.for([
    ['Throttled', THROTTLED],
    ['AccessDenied', { kind: 'error', status: 400, code: 'AccessDeniedException', message: 'no' }],
    ['ObjectNotFound', { kind: 'error', status: 400, code: 'ResourceNotFoundException', message: 'no' }],
    ['ObjectRefused', { kind: 'error', status: 400, code: 'DecryptionFailure', message: 'no' }],
  ] as const satisfies [string, Fault][])('%s', async ([reason, fault]) => {
    using _ = aws.fakes.gate.state.inject(fault, FIRST);
    const before = aws.fakes.gate.state.count(SECOND);

    const outcomes = await fetchAll(aws.fetcher, podSpec([secret('a')], TWO_REGIONS), signal);

    expect(reasons(outcomes)).toEqual([reason]);
    expect(aws.fakes.gate.state.count(SECOND)).toBe(before);
  });
});

it('fetches from the second region only the object that the first cannot return', async () => {
  using _ = aws.fakes.gate.state.inject(OUTAGE, { ...FIRST, resource: 'a', action: 'secretsmanager:GetSecretValue' });
  const before = aws.fakes.gate.state.count(SECOND);

  const outcomes = await fetchAll(
    aws.fetcher,
    podSpec([secret('a'), secret('b'), parameter('/p')], TWO_REGIONS),
    signal,
  );

  expect(texts(outcomes)).toEqual(['a in the west', 'b in the east', 'p in the east']);
  expect(aws.fakes.gate.state.count(SECOND) - before).toBe(1);
});

it.for([
  ['secret', secret('a'), 'secretsmanager'],
  ['parameters', parameter('/p'), 'ssm'],
] as const)('reports both regions when both are down: %s', async ([what, object, service]) => {
  using _ = aws.fakes.gate.state.inject(OUTAGE, { service });

  const [outcome] = await fetchAll(aws.fetcher, podSpec([object], TWO_REGIONS), signal);

  expect(failure(outcome)).toMatchObject({ reason: 'StoreUnavailable', object: object.name });
  expect(failure(outcome).message).toMatch(
    new RegExp(
      `^Failed to fetch ${what} from all regions: Failed fetching .*503: us-east-1: .*; Failed fetching .*503: us-west-2: `,
    ),
  );
});
