import { describe, expect, it } from 'vitest';
import { readOptions } from './options.ts';

describe('readOptions', () => {
  it('uses the load of the targets by default', () => {
    const options = readOptions([]);

    expect(options).toMatchObject({
      mode: 'table',
      load: { pods: 110, accounts: 10, secretsPerPod: 10, parametersPerPod: 0, ownSecrets: false, podIdentity: false },
      concurrency: 16,
      latencyMs: 10,
      ports: { aws: 0, agent: 0, api: 0 },
    });
    expect(options).not.toHaveProperty('rates');
    expect(options).not.toHaveProperty('memoryLimit');
  });

  it('reads a memory limit as Kubernetes writes it', () => {
    expect(readOptions(['--memory-limit', '100Mi']).memoryLimit).toBe(104_857_600);
    expect(readOptions(['--memory-limit', '100MiB']).memoryLimit).toBe(104_857_600);
  });

  it('measures rotation with the API server that knows classes', () => {
    expect(readOptions(['--rotation'])).toMatchObject({ mode: 'rotation', standInApi: true });
  });

  it('throttles only if requested, at the rates given', () => {
    expect(readOptions(['--rates', 'sts=5'])).not.toHaveProperty('rates');
    expect(readOptions(['--throttle', '--rates', 'sts=5,ssm=40']).rates).toEqual({
      'sts:AssumeRoleWithWebIdentity': 5,
      'ssm:GetParameters': 40,
    });
  });

  it('listens where another provider can be configured to connect', () => {
    const { other, ports } = readOptions(['--provider', '/run/p/aws.sock', '--pid', '17']);

    expect(other).toEqual({ socket: '/run/p/aws.sock', pid: 17 });
    expect(Object.values(ports)).not.toContain(0);
  });

  it('profiles the source, where every package has files of its own', () => {
    expect(readOptions(['--profile'])).toMatchObject({ mode: 'profile', fromSource: true });
  });

  it.for([
    [['--pods', 'many'], /--pods: expected a whole number, got "many"/],
    [['--memory-limit', '100'], /--memory-limit: expected a size/],
    [['--throttle', '--rates', 'sts=0'], /--rates: expected parts such as "sts=20"/],
    [['--throttle', '--rates', 'kms=5'], /of sts, chain, get, batch, ssm, agent; got "kms=5"/],
    [['--scale', '--soak', '5'], /--scale and --soak are different runs/],
    [['--provider', '/run/p/aws.sock'], /--provider and --pid go together/],
    [['--no-such-option'], /--no-such-option/],
  ] as const)('refuses %j', ([args, message]) => {
    expect(() => readOptions(args)).toThrow(message);
  });
});
