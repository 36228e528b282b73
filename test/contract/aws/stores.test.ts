import { describe, expect, inject, it } from 'vitest';
import type { Seed } from '../../fakes/aws/seed.ts';
import {
  fetchAll,
  fetched,
  fetcherWith,
  parameter,
  podSpec,
  reasons,
  secret,
  settingsFor,
  texts,
  useFetcher,
} from './fetch-fixture.ts';

let seed: Seed;
const { signal } = new AbortController();
const aws = useFetcher(async (fakes) => {
  seed = await fakes.seed();
});

describe('Secrets Manager', () => {
  it('returns text as UTF-8 and binary unchanged, with the version that AWS names', async () => {
    const text = await seed.secret('text', 'pässword\n');
    const binary = await seed.secret('binary', Uint8Array.of(0, 255, 10, 128));

    const [first, second] = await fetchAll(aws.fetcher, podSpec([secret('text'), secret('binary')]), signal);

    expect(fetched(first)).toMatchObject({ version: text.version });
    expect(fetched(first).value.expose()).toEqual(new TextEncoder().encode('pässword\n'));
    expect(fetched(second).version).toBe(binary.version);
    expect(fetched(second).value.expose()).toEqual(Uint8Array.of(0, 255, 10, 128));
  });

  it('finds a secret by its ARN', async () => {
    const { arn } = await seed.secret('by-arn', 'v');

    const [outcome] = await fetchAll(aws.fetcher, podSpec([secret(arn)]), signal);

    expect(fetched(outcome).value.exposeText()).toBe('v');
  });

  it('returns the requested version and stage, otherwise the current one', async () => {
    const old = await seed.secret('versions', 'old');
    await seed.secretVersion('versions', 'new');
    await seed.secretVersion('versions', 'next', ['AWSPENDING']);

    const outcomes = await fetchAll(
      aws.fetcher,
      podSpec([
        secret('versions'),
        secret('versions', { version: old.version }),
        secret('versions', { label: 'AWSPREVIOUS' }),
        secret('versions', { label: 'AWSPENDING' }),
        secret('versions', { version: old.version, label: 'AWSPREVIOUS' }),
      ]),
      signal,
    );

    expect(texts(outcomes)).toEqual(['new', 'old', 'old', 'next', 'old']);
    expect(fetched(outcomes[1]).version).toBe(old.version);
  });
});

describe('Parameter Store', () => {
  it('decrypts, and counts versions', async () => {
    await seed.parameter('/app/one', 'first');
    await seed.parameter('/app/one', 'second');

    const [outcome] = await fetchAll(aws.fetcher, podSpec([parameter('/app/one')]), signal);

    expect(fetched(outcome)).toMatchObject({ version: '2' });
    expect(fetched(outcome).value.exposeText()).toBe('second');
  });

  it('fetches ten at a time, and returns them in the order of the class', async () => {
    const names = Array.from({ length: 23 }, (_, index) => `/many/${(index * 7) % 23}`);
    await Promise.all(names.map((name) => seed.parameter(name, `value of ${name}`)));
    const before = aws.fakes.gate.state.count({ action: 'ssm:GetParameters' });

    const outcomes = await fetchAll(aws.fetcher, podSpec(names.map((name) => parameter(name))), signal);

    expect(texts(outcomes)).toEqual(names.map((name) => `value of ${name}`));
    expect(aws.fakes.gate.state.count({ action: 'ssm:GetParameters' }) - before).toBe(3);
  });

  it('distinguishes one parameter by version, label and ARN in one call', async () => {
    await seed.parameter('/app/v', 'v1', 'blue');
    await seed.parameter('/app/v', 'v2', 'green');
    await seed.parameter('/app/v', 'v3');
    const arn = `arn:aws:ssm:us-east-1:${aws.fakes.account}:parameter/app/v`;
    const before = aws.fakes.gate.state.count({ action: 'ssm:GetParameters' });

    const outcomes = await fetchAll(
      aws.fetcher,
      podSpec([
        parameter('/app/v', { label: 'blue' }),
        parameter('/app/v', { label: 'green' }),
        parameter('/app/v', { version: '1' }),
        parameter('/app/v'),
        parameter(arn),
        parameter(arn, { label: 'blue' }),
      ]),
      signal,
    );

    expect(texts(outcomes)).toEqual(['v1', 'v2', 'v1', 'v3', 'v3', 'v1']);
    expect(outcomes.map((outcome) => fetched(outcome).version)).toEqual(['1', '2', '1', '3', '3', '1']);
    expect(aws.fakes.gate.state.count({ action: 'ssm:GetParameters' }) - before).toBe(1);
  });

  it('returns versions and labels from an emulator that omits the selector', async () => {
    await seed.parameter('/app/emulated', 'v1', 'blue');
    await seed.parameter('/app/emulated', 'v2');
    await seed.parameter('/app/other', 'o1', 'blue');
    using fetcher = fetcherWith(settingsFor(inject('motoUrl')), aws.fakes.addRole('emulated', ['shop/cart']));

    const byLabel = await fetchAll(
      fetcher,
      podSpec([parameter('/app/emulated', { label: 'blue' }), parameter('/app/other', { label: 'blue' })]),
      signal,
    );
    const byVersion = await fetchAll(fetcher, podSpec([parameter('/app/emulated', { version: '1' })]), signal);
    const both = await fetchAll(
      fetcher,
      podSpec([parameter('/app/emulated', { label: 'blue' }), parameter('/app/emulated')]),
      signal,
    );

    expect(texts(byLabel)).toEqual(['v1', 'o1']);
    expect(texts(byVersion)).toEqual(['v1']);
    // Two responses for one name cannot be distinguished.
    expect(reasons(both)).toEqual(['ObjectNotFound', 'ObjectNotFound']);
  });

  it('fetches once what is listed twice', async () => {
    await seed.parameter('/app/twice', 'v');

    const outcomes = await fetchAll(aws.fetcher, podSpec([parameter('/app/twice'), parameter('/app/twice')]), signal);

    expect(texts(outcomes)).toEqual(['v', 'v']);
    expect(aws.fakes.gate.state.calls.at(-1)?.resources).toEqual(['/app/twice']);
  });
});

it('keeps the order of a class over both stores', async () => {
  await seed.secret('mixed-a', 'secret a');
  await seed.secret('mixed-b', 'secret b');
  await seed.parameter('mixed-a', 'parameter a');
  const objects = [secret('mixed-b'), parameter('mixed-a'), secret('mixed-a'), parameter('mixed-none')];

  const outcomes = await fetchAll(aws.fetcher, podSpec(objects), signal);

  expect(reasons(outcomes)).toEqual(['value secret b', 'value parameter a', 'value secret a', 'ObjectNotFound']);
});

it('makes no call for a class without objects', async () => {
  const before = aws.fakes.gate.state.count();

  expect(await fetchAll(aws.fetcher, podSpec([], { tokens: new Map() }), signal)).toEqual([]);
  expect(aws.fakes.gate.state.count()).toBe(before);
});
