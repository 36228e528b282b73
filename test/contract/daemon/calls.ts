import type { TestNode } from './node.ts';
import type { Statement } from '../../fakes/aws/policy.ts';

/** Optional actions that save calls, besides those that read. */
export const BATCH: Statement = { actions: ['secretsmanager:BatchGetSecretValue'], resources: ['*'] };
export const READ: Statement = { actions: ['secretsmanager:GetSecretValue', 'ssm:GetParameters'], resources: ['*'] };
/** Does not allow reading. */
export const DESCRIBE: Statement = { actions: ['secretsmanager:DescribeSecret'], resources: ['*'] };

/** The number of calls of each action that AWS gets during this. */
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
