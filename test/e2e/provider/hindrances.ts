import { type Fault, OUTAGE, THROTTLED } from '../../fakes/aws/faults.ts';
import type { Statement } from '../../fakes/aws/policy.ts';
import { READ_ALL } from '../../fakes/aws/start-aws-fakes.ts';
import { DRIVER_WRITES, PROVIDER_WRITES } from './facts.ts';
import { secretProviderClass } from './objects.ts';
import type { Scenario } from './scenario.ts';

/** A provider that gives a throttled mount less than the minute it has by default: values of a release. */
export const IMPATIENT = { socketName: 'aws-impatient', extraArgs: ['--mount-timeout=15s', '--aws-max-attempts=1'] };

/** What keeps a secret from a pod. */
interface Hindrance {
  /** The message for the user. */
  readonly says: readonly [string, ...string[]];
  readonly impose: () => Promise<unknown>;
  readonly lift: () => Promise<unknown>;
}

/** A secret with its name as its value, read by a service account of this name too, through classes of these names. */
export interface Hindered extends Hindrance {
  readonly name: string;
  readonly classes: readonly string[];
  /** Name of the secret that they read once the hindrance is lifted. */
  readonly secret: string;
}

const BOTH = [PROVIDER_WRITES, DRIVER_WRITES] as const;

/** By name; `hanging` takes half a minute. */
export const HINDRANCES = ['hanging', 'throttled', 'down', 'denied', 'roleless', 'missing', 'mistaken'] as const;

export async function prepareHindrance(scenario: Scenario, name: (typeof HINDRANCES)[number]): Promise<Hindered> {
  const allows: Statement[] = [READ_ALL];
  const role = await scenario.addServiceAccount(name, allows);
  await scenario.seed.secret(name, name);
  const providers = name === 'throttled' ? [IMPATIENT.socketName] : BOTH;

  async function applyClasses(changes: object = {}): Promise<void> {
    const objects = [{ objectName: name, objectType: 'secretsmanager', objectAlias: 'file', ...changes }];
    await scenario.apply(
      ...providers.map((provider) => secretProviderClass(`${name}-${provider}`, objects, { provider })),
    );
  }

  function annotate(annotation: string): Promise<string> {
    return scenario.kubectl('annotate', 'serviceaccount', name, annotation);
  }

  function fault(kind: Fault, ...says: Hindrance['says']): Hindrance {
    let injected: Disposable | undefined;
    return {
      says,
      impose: async () => (injected = scenario.aws.gate.state.inject(kind, { resource: name })),
      lift: async () => injected?.[Symbol.dispose](),
    };
  }

  const secret = name === 'missing' ? `${name}-yet` : name;
  const hindrances: Readonly<Record<typeof name, Hindrance>> = {
    hanging: fault({ kind: 'hang' }, 'no answer in time'),
    throttled: fault(THROTTLED, 'ThrottlingException', 'quota'),
    down: fault(OUTAGE, 'InternalFailure', 'an outage of us-east-1'),
    denied: {
      says: ['AccessDeniedException', 'allow secretsmanager:GetSecretValue'],
      impose: async () => allows.splice(0),
      lift: async () => allows.push(READ_ALL),
    },
    roleless: {
      says: ['IAM role must be associated', 'eks.amazonaws.com/role-arn'],
      impose: () => annotate('eks.amazonaws.com/role-arn-'),
      lift: () => annotate(`eks.amazonaws.com/role-arn=${role}`),
    },
    missing: {
      says: ['ResourceNotFoundException', 'check its name'],
      impose: () => applyClasses({ objectName: secret }),
      lift: () => scenario.seed.secret(secret, name),
    },
    mistaken: {
      says: ['objectType', 'filePermission'],
      impose: () => applyClasses({ objectType: 'secretmanager', filePermission: '0999' }),
      lift: () => applyClasses(),
    },
  };
  await applyClasses();
  return { name, secret, classes: providers.map((provider) => `${name}-${provider}`), ...hindrances[name] };
}
