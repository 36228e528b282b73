import { randomInt } from 'node:crypto';
import { type Gate, type GateOptions, startGate } from './gate.ts';
import type { Role, Statement } from './policy.ts';
import { createSeed, type Seed } from './seed.ts';

/** A separate AWS account, behind a gate. */
export interface AwsFakes extends AsyncDisposable {
  readonly gate: Gate;
  /** Twelve random digits: tests that share a moto do not see each other. */
  readonly account: string;
  /** Fills a region; default: `us-east-1`. */
  seed(region?: string): Promise<Seed>;
  /** Adds a role that service accounts (`namespace/name`) may assume. @returns its ARN */
  addRole(name: string, trusts: readonly string[], allows?: readonly Statement[]): string;
}

/** All that a pod needs to read everything. */
export const READ_ALL: Statement = {
  actions: ['secretsmanager:GetSecretValue', 'ssm:GetParameters'],
  resources: ['*'],
};

export async function startAwsFakes(options: GateOptions): Promise<AwsFakes> {
  const gate = await startGate(options);
  const account = String(randomInt(100_000_000_000, 1_000_000_000_000 - 1));
  return {
    gate,
    account,
    seed: (region = 'us-east-1') => createSeed(options.motoUrl, account, region),
    addRole(name, trusts, allows = [READ_ALL]) {
      const role: Role = { arn: `arn:aws:iam::${account}:role/${name}`, trusts, allows };
      gate.state.addRole(role);
      return role.arn;
    },
    [Symbol.asyncDispose]: () => gate[Symbol.asyncDispose](),
  };
}
