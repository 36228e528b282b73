import type { TestNode } from './node.ts';
import type { Statement } from '../../fakes/aws/policy.ts';

/** What saves calls, beside what reads. */
export const BATCH: Statement = { actions: ['secretsmanager:BatchGetSecretValue'], resources: ['*'] };
export const READ: Statement = { actions: ['secretsmanager:GetSecretValue', 'ssm:GetParameters'], resources: ['*'] };
/** Of no use to read with. */
export const DESCRIBE: Statement = { actions: ['secretsmanager:DescribeSecret'], resources: ['*'] };

/** How many calls of each action AWS gets while this is done. */
export async function callsOf(
  { aws }: Pick<TestNode, 'aws'>,
  work: () => Promise<unknown>,
): Promise<Readonly<Record<string, number>>> {
  const before = aws.gate.state.calls.length;
  await work();
  const actions = aws.gate.state.calls.slice(before).map(({ action }) => action.replace(/^.*:/, ''));
  return Object.fromEntries(
    Map.groupBy(actions, (action) => action)
      .entries()
      .map(([action, all]) => [action, all.length]),
  );
}

/** A class of these secrets. */
export function secrets(...names: readonly string[]) {
  return { objects: JSON.stringify(names.map((objectName) => ({ objectName, objectType: 'secretsmanager' }))) };
}

export function parameters(...names: readonly string[]) {
  return { objects: JSON.stringify(names.map((objectName) => ({ objectName, objectType: 'ssmparameter' }))) };
}
