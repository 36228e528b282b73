import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const directory = join(import.meta.dirname, '..', '..', 'deploy', 'iam');

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}

function statementsOf(file: string): readonly Statement[] {
  const { Version, Statement: statements }: { Version: string; Statement: readonly Statement[] } = JSON.parse(
    readFileSync(join(directory, file), 'utf8'),
  );
  expect(Version).toBe('2012-10-17');
  return statements;
}

describe('the IAM examples', () => {
  it('are all explained', () => {
    const readme = readFileSync(join(directory, 'README.md'), 'utf8');

    const files = readdirSync(directory).filter((name) => name.endsWith('.json'));

    expect(files.filter((name) => !readme.includes(`(${name})`))).toEqual([]);
  });

  it('allow a pod the calls that the provider makes, on named resources alone', () => {
    const statements = statementsOf('pod-policy.json');

    // IAM knows no resources for the batch call.
    const resources = statements
      .filter(({ Action }) => Action !== 'secretsmanager:BatchGetSecretValue')
      .flatMap(({ Resource = [] }) => Resource);
    expect(statements.flatMap(({ Action }) => Action)).toEqual([
      'secretsmanager:GetSecretValue',
      'secretsmanager:DescribeSecret',
      'secretsmanager:BatchGetSecretValue',
      'ssm:GetParameters',
      'kms:Decrypt',
    ]);
    expect(
      resources.filter((resource) => !/^arn:aws:(?:secretsmanager|ssm|kms):[\w-]+:\d{12}:/.test(resource)),
    ).toEqual([]);
    expect(resources.filter((resource) => resource.includes(':secret:') && !resource.endsWith('-??????'))).toEqual([]);
  });

  it.for(['trust-irsa.json', 'trust-pod-identity.json'])(
    'let one service account alone put the role on: %s',
    (file) => {
      const [statement, ...others] = statementsOf(file);

      expect(others).toEqual([]);
      expect(JSON.stringify(statement?.Condition)).toMatch(/:sub"|kubernetes-service-account"/);
      expect(JSON.stringify(statement)).not.toContain('*');
    },
  );
});
