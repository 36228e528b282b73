import { IMPATIENT } from '../../fakes/aws/settings.ts';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AwsSettings } from '../../../src/aws/client/settings.ts';
import { type Certificates, makeCertificates } from '../../fakes/aws/certificates.ts';
import { OUTAGE } from '../../fakes/aws/faults.ts';
import { type ForwardProxy, startForwardProxy } from '../../fakes/aws/forward-proxy.ts';
import { startSilentServer } from '../../fakes/aws/silent-server.ts';
import type { AwsFakes } from '../../fakes/aws/start-aws-fakes.ts';
import { fetchAll, fetcherWith, openFakes, parameter, podSpec, secret, settingsFor, texts } from './fetch-fixture.ts';

const { signal } = new AbortController();

describe('connections', () => {
  let fakes: AwsFakes;
  let roleArn: string;

  beforeAll(async () => {
    fakes = await openFakes();
    const seed = await fakes.seed();
    await Promise.all([seed.secret('a', 'value a'), seed.parameter('/p', 'value p')]);
    roleArn = fakes.addRole('reader', ['shop/cart']);
  });

  afterAll(() => fakes[Symbol.asyncDispose]());

  it('are kept alive, and shared by services and mounts', async () => {
    using fetcher = fetcherWith(settingsFor(fakes.gate.url), roleArn);
    const before = fakes.gate.connections();

    for (let mount = 0; mount < 5; mount += 1) {
      await fetchAll(fetcher, podSpec([secret('a'), parameter('/p')]), signal);
    }

    expect(fakes.gate.connections() - before).toBe(2);
  });

  it('are limited: calls beyond the limit wait', async () => {
    using fetcher = fetcherWith(settingsFor(fakes.gate.url), roleArn);
    const before = fakes.gate.connections();
    const many = Array.from({ length: 150 }, () => secret('a'));

    const outcomes = await fetchAll(fetcher, podSpec(many), signal);

    expect(new Set(texts(outcomes))).toEqual(new Set(['value a']));
    expect(fakes.gate.connections() - before).toBeLessThanOrEqual(32);
  });
});

describe('by AWS’s own names', () => {
  let certificates: Certificates;
  let fakes: AwsFakes;
  let proxy: ForwardProxy;
  let roleArn: string;

  beforeAll(async () => {
    const domains = ['us-east-1', 'us-west-2'].flatMap((region) => [`${region}.amazonaws.com`, `${region}.api.aws`]);
    certificates = await makeCertificates([...domains.map((domain) => `DNS:*.${domain}`), 'IP:127.0.0.1']);
    fakes = await openFakes({ certificates });
    const [east, west] = [await fakes.seed('us-east-1'), await fakes.seed('us-west-2')];
    await Promise.all([east.secret('a', 'east a'), east.parameter('/p', 'east p')]);
    await Promise.all([west.secret('a', 'west a'), west.parameter('/p', 'west p')]);
    roleArn = fakes.addRole('reader', ['shop/cart']);
    proxy = await startForwardProxy(fakes.gate.url);
  });

  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
    await fakes[Symbol.asyncDispose]();
  });

  /** The proxy leads AWS's names to the gate. */
  function regional(changes: Partial<AwsSettings> = {}): AwsSettings {
    const address = settingsFor('', { caBundle: certificates.authority, proxy: { HTTPS_PROXY: proxy.url } });
    return { ...address, endpoints: {}, ...changes };
  }

  it.for([
    [{}, 'sts.us-east-1.amazonaws.com', 'secretsmanager.us-east-1.amazonaws.com', 'ssm.us-east-1.amazonaws.com'],
    [
      { useFipsEndpoint: true },
      'sts-fips.us-east-1.amazonaws.com',
      'secretsmanager-fips.us-east-1.amazonaws.com',
      'ssm-fips.us-east-1.amazonaws.com',
    ],
    [
      { useDualstackEndpoint: true },
      'sts.us-east-1.api.aws',
      // This name has IPv6 addresses itself.
      'secretsmanager.us-east-1.amazonaws.com',
      'ssm.us-east-1.api.aws',
    ],
  ] as const)('reaches every service of the region through the proxy, with %o', async ([changes, ...hosts]) => {
    using fetcher = fetcherWith(regional(changes), roleArn);
    const before = proxy.hosts.length;

    const outcomes = await fetchAll(fetcher, podSpec([secret('a'), parameter('/p')]), signal);

    expect(texts(outcomes)).toEqual(['east a', 'east p']);
    expect(proxy.hosts.slice(before).toSorted()).toEqual(hosts.map((host) => `${host}:443`).toSorted());
  });

  it('uses the second region when STS of the first is down', async () => {
    using fetcher = fetcherWith(regional(), roleArn);
    using _ = fakes.gate.state.inject(OUTAGE, { service: 'sts', region: 'us-east-1' });
    const spec = podSpec([secret('a'), parameter('/p')], { regions: ['us-east-1', 'us-west-2'] });

    const outcomes = await fetchAll(fetcher, spec, signal);

    expect(texts(outcomes)).toEqual(['west a', 'west p']);
  });

  it('reports once that STS is down in both regions', async () => {
    using fetcher = fetcherWith(regional(), roleArn);
    using _ = fakes.gate.state.inject(OUTAGE, { service: 'sts' });
    const spec = podSpec([secret('a'), secret('b')], { regions: ['us-east-1', 'us-west-2'] });

    await expect(fetchAll(fetcher, spec, signal)).rejects.toMatchObject({
      reason: 'StoreUnavailable',
      message: expect.stringMatching(
        /from all regions: Failed to assume role .*us-east-1.*; Failed to assume role .*us-west-2/,
      ),
    });
  });

  it('trusts no CA other than that of the bundle', async () => {
    const { caBundle: _, ...settings } = regional();
    using fetcher = fetcherWith(settings, roleArn);

    await expect(fetchAll(fetcher, podSpec([secret('a')]), signal)).rejects.toMatchObject({
      reason: 'StoreUnavailable',
      message: expect.stringContaining('AWS_CA_BUNDLE'),
    });
  });

  it('uses the bundle for custom endpoints too, without the proxy if they are on this host', async () => {
    const before = proxy.hosts.length;
    const settings = {
      ...settingsFor(fakes.gate.url),
      caBundle: certificates.authority,
      proxy: { HTTPS_PROXY: proxy.url },
    };
    using fetcher = fetcherWith(settings, roleArn);

    expect(texts(await fetchAll(fetcher, podSpec([secret('a')]), signal))).toEqual(['east a']);
    expect(proxy.hosts.length).toBe(before);
  });

  it('reports a proxy that does not respond, without its password', async () => {
    const settings = regional({ proxy: { HTTPS_PROXY: 'http://user:hunter2@127.0.0.1:1' }, maxAttempts: 1 });
    using fetcher = fetcherWith(settings, roleArn);

    const thrown = await fetchAll(fetcher, podSpec([secret('a')]), signal).catch((error: unknown) => error);

    expect(thrown).toMatchObject({ reason: 'StoreUnavailable' });
    expect(String(thrown)).not.toContain('hunter2');
  });

  it('reads nothing from the environment or shared files besides the settings', async () => {
    for (const name of ['', '_STS', '_SECRETS_MANAGER', '_SSM']) {
      vi.stubEnv(`AWS_ENDPOINT_URL${name}`, 'http://127.0.0.1:1');
    }
    vi.stubEnv('AWS_REGION', 'eu-nowhere-1');
    vi.stubEnv('AWS_USE_FIPS_ENDPOINT', 'true');
    vi.stubEnv('AWS_MAX_ATTEMPTS', '9');
    vi.stubEnv('AWS_PROFILE', 'nobody');
    vi.stubEnv('AWS_CONFIG_FILE', '/dev/null/config');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAENVIRONMENT');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'x');
    using fetcher = fetcherWith(regional(), roleArn);

    expect(texts(await fetchAll(fetcher, podSpec([secret('a'), parameter('/p')]), signal))).toEqual([
      'east a',
      'east p',
    ]);
  });
});

describe('plain HTTP', () => {
  it('uses HTTP_PROXY, for STS too', async () => {
    await using fakes = await openFakes();
    await (await fakes.seed()).secret('a', 'value a');
    await using proxy = await startForwardProxy(fakes.gate.url);
    const settings = settingsFor('http://aws.test', { proxy: { HTTP_PROXY: proxy.url } });
    using fetcher = fetcherWith(settings, fakes.addRole('reader', ['shop/cart']));

    expect(texts(await fetchAll(fetcher, podSpec([secret('a')]), signal))).toEqual(['value a']);
    expect(proxy.hosts).toEqual(['aws.test', 'aws.test']);
  });

  it.for(['sts.aws.invalid', '.aws.invalid', 'aws.invalid', '*.aws.invalid', '*'])(
    'bypasses the proxy for NO_PROXY %s',
    async (noProxy) => {
      await using proxy = await startForwardProxy('http://127.0.0.1:1');
      const settings = settingsFor('http://sts.aws.invalid', {
        proxy: { HTTP_PROXY: proxy.url, NO_PROXY: `example.org, ${noProxy}` },
        maxAttempts: 1,
      });
      using fetcher = fetcherWith(settings, 'arn:aws:iam::123456789012:role/reader');

      await expect(fetchAll(fetcher, podSpec([secret('a')]), signal)).rejects.toMatchObject({
        reason: 'StoreUnavailable',
      });
      expect(proxy.hosts).toEqual([]);
    },
  );
});

describe('a server that accepts connections and never responds', () => {
  it.for<readonly [string, (address: string) => Partial<AwsSettings>]>([
    ['a proxy', (address) => ({ endpoints: {}, proxy: { HTTPS_PROXY: `http://${address}` } })],
    ['a TLS endpoint', (address) => ({ endpoints: { sts: `https://${address}` } })],
  ])('does not block a mount: %s', async ([, changes]) => {
    await using silent = await startSilentServer();
    const settings = settingsFor('', { ...IMPATIENT, ...changes(silent.address) });
    using fetcher = fetcherWith(settings, 'arn:aws:iam::123456789012:role/reader');
    const began = performance.now();

    await expect(fetchAll(fetcher, podSpec([secret('a')]), signal)).rejects.toMatchObject({
      reason: 'StoreUnavailable',
    });
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});
