import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from './config.ts';

function problemsOf(args: readonly string[], env: Record<string, string> = {}): readonly string[] {
  try {
    readConfig(args, env);
  } catch (error) {
    if (error instanceof ConfigError) {
      return error.problems;
    }
    throw error;
  }
  return [];
}

describe('readConfig', () => {
  it('gives the defaults that a DaemonSet needs', () => {
    const config = readConfig([], {});

    expect(config).toMatchObject({
      socketPath: '/var/run/secrets-store-csi-providers/aws.sock',
      driverWritesSecrets: false,
      mountTimeoutMs: 60_000,
      healthAddress: { host: '127.0.0.1', port: 8989 },
      aws: { endpoints: {}, useFipsEndpoint: false, proxy: {}, podIdentity: { ipv4: 'http://169.254.170.23' } },
    });
    expect(config).not.toHaveProperty('defaultRegion');
  });

  it('changes nothing in the cluster by default', () => {
    expect(readConfig([], {})).toMatchObject({
      providerName: 'aws',
      rotation: { enabled: false },
      syncSecret: false,
      tokenRequest: false,
      restart: { enabled: false, minIntervalMs: 300_000 },
    });
  });

  it('reads the settings of rotation, sync and restarts', () => {
    const env = {
      NODE_NAME: 'node-1',
      ENABLE_SECRET_ROTATION: 'true',
      SYNC_SECRET: 'true',
      RESTART_MIN_INTERVAL: '1h',
    };
    const args = ['--restart-on-rotation', '--token-request', '--socket-name=aws2'];
    const queueUrl = 'https://sqs.eu-west-1.amazonaws.com/111122223333/secret-changes';

    const config = readConfig([...args, `--rotation-queue-url=${queueUrl}`], env);

    expect(config).toMatchObject({
      providerName: 'aws2',
      rotation: { enabled: true, queueUrl },
      syncSecret: true,
      tokenRequest: true,
      restart: { enabled: true, minIntervalMs: 3_600_000 },
    });
  });

  it.for([
    [['--enable-secret-rotation'], ['--enable-secret-rotation: needs --node-name']],
    [['--sync-secret'], ['--sync-secret: needs --node-name']],
    [
      ['--restart-on-rotation'],
      ['--restart-on-rotation: needs --node-name', '--restart-on-rotation: needs --enable-secret-rotation'],
    ],
    [
      ['--rotation-queue-url=https://sqs.example/1/q', '--node-name=n'],
      ['--rotation-queue-url: needs --enable-secret-rotation'],
    ],
  ] as const)('refuses %j, because another setting is missing or conflicts', ([args, says]) => {
    const problems = problemsOf(args);

    expect(problems).toEqual(says.map((start) => expect.stringContaining(start)));
  });

  it.for([
    [['-provider-volume=/run/p'], '/run/p/aws.sock'],
    [['--provider-volume=/run/p'], '/run/p/aws.sock'],
    [['-provider-volume', '/run/p'], '/run/p/aws.sock'],
    [['--socket-name', 'aws2', '--provider-volume', '/run/p'], '/run/p/aws2.sock'],
  ] as const)("accepts a flag in each of Go's forms: %s", ([args, socketPath]) => {
    const config = readConfig(args, {});

    expect(config.socketPath).toBe(socketPath);
  });

  it.for([
    ['--driver-writes-secrets', true],
    ['-driver-writes-secrets=true', true],
    ['--driver-writes-secrets=0', false],
  ] as const)('reads the switch %s', ([arg, expected]) => {
    const config = readConfig([arg], {});

    expect(config.driverWritesSecrets).toBe(expected);
  });

  it("accepts every flag of AWS's provider", () => {
    const args = ['--provider-volume=/p', '--driver-writes-secrets', '--qps=50', '--burst', '100'];
    const config = readConfig(
      [...args, '--eks-addon-version=v3.1.1-eksbuild.1', '-pod-identity-http-timeout=1.5s'],
      {},
    );

    expect(config.aws).toMatchObject({ appId: 'aws-secrets-csi-v3.1.1-eksbuild.1', podIdentity: { timeoutMs: 1_500 } });
  });

  it('prefers a flag to the environment, and the environment to the default', () => {
    const env = { AWS_REGION: 'eu-west-1', NODE_NAME: 'node-1' };

    expect(readConfig(['--aws-region', 'us-east-1'], env)).toMatchObject({
      defaultRegion: 'us-east-1',
      kube: { nodeName: 'node-1' },
    });
  });

  it('treats an empty variable as not set', () => {
    expect(readConfig([], { AWS_REGION: '', MOUNT_TIMEOUT: '' })).not.toHaveProperty('defaultRegion');
  });

  it('prefers the endpoint of one service to that of all', () => {
    const env = { AWS_ENDPOINT_URL: 'http://127.0.0.1:5000/', AWS_ENDPOINT_URL_SSM: 'http://127.0.0.1:5001' };

    expect(readConfig([], env).aws.endpoints).toEqual({
      sts: 'http://127.0.0.1:5000',
      secretsManager: 'http://127.0.0.1:5000',
      ssm: 'http://127.0.0.1:5001',
      sqs: 'http://127.0.0.1:5000',
    });
  });

  it('reads proxy variables in either case', () => {
    const env = { https_proxy: 'http://127.0.0.1:3128', NO_PROXY: 'localhost' };

    expect(readConfig([], env).aws.proxy).toEqual({ HTTPS_PROXY: 'http://127.0.0.1:3128', NO_PROXY: 'localhost' });
  });

  it('reports every problem at once, each with its origin', () => {
    const args = ['--mount-timeout=soon', '--provider-volume', 'relative', '--no-such-flag', 'stray', '--qps'];
    const problems = problemsOf(args, { LOG_LEVEL: 'loud', AWS_CA_BUNDLE: '/nowhere/ca.pem' });

    expect(problems).toEqual([
      'unknown flag "--no-such-flag": see "aws-secrets-csi help"',
      'unexpected argument "stray"',
      '--qps: needs a value',
      '--provider-volume: expected an absolute path, got "relative"',
      '--mount-timeout: expected a duration above zero and up to 1h, such as "500ms", "30s" or "2m", got "soon"',
      'environment variable LOG_LEVEL: expected one of debug, info, warn, error, got "loud"',
      expect.stringContaining('AWS_CA_BUNDLE: cannot read "/nowhere/ca.pem"'),
    ]);
  });

  it('refuses a CA bundle without a certificate', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'config-')), 'ca.pem');
    writeFileSync(file, 'not a certificate');

    expect(problemsOf(['--ca-bundle', file])).toEqual([`AWS_CA_BUNDLE: "${file}" holds no PEM certificate`]);
  });

  it.for([
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['[::1]:8989', { host: '::1', port: 8989 }],
    [':8989', { host: '::', port: 8989 }],
  ] as const)('reads the address %s', ([text, expected]) => {
    expect(readConfig(['--health-address', text], {}).healthAddress).toEqual(expected);
  });

  it.for(['::1:8989', 'localhost', '127.0.0.1:70000', '127.0.0.1:x'])('refuses the address %s', (text) => {
    expect(problemsOf(['--health-address', text])).toHaveLength(1);
  });

  it.for(['720h', '61m', '0s', '9'.repeat(400) + 'h'])('refuses the duration %s', (text) => {
    expect(problemsOf(['--mount-timeout', text])).toEqual([expect.stringContaining('up to 1h')]);
  });

  it.for([
    ['1.5s', 1_500],
    ['2m30s', 150_000],
    ['100ms', 100],
    ['250us', 1],
    ['1.0001ms', 2],
    ['1h', 3_600_000],
  ] as const)('reads the duration %s', ([text, expected]) => {
    expect(readConfig(['--mount-timeout', text], {}).mountTimeoutMs).toBe(expected);
  });

  it.for(['0s', '-5s', '30', 's', '1s5', '1 s', 'invalid'])('refuses the duration %s', (text) => {
    expect(problemsOf([`--mount-timeout=${text}`])).toHaveLength(1);
  });
});
