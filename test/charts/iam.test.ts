import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseChangeEvents } from '../../src/aws/change-events/parse-event.ts';

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

  it('allow a pod the calls that the provider makes, only on named resources', () => {
    const statements = statementsOf('pod-policy.json');

    // IAM knows no resources for the batch call.
    const resources = statements
      .filter(({ Action }) => Action !== 'secretsmanager:BatchGetSecretValue')
      .flatMap(({ Resource = [] }) => Resource);
    expect(statements.flatMap(({ Action }) => Action)).toEqual([
      'secretsmanager:GetSecretValue',
      'secretsmanager:BatchGetSecretValue',
      'ssm:GetParameters',
      'kms:Decrypt',
    ]);
    expect(
      resources.filter((resource) => !/^arn:aws:(?:secretsmanager|ssm|kms):[\w-]+:\d{12}:/.test(resource)),
    ).toEqual([]);
    expect(resources.filter((resource) => resource.includes(':secret:') && !resource.endsWith('-??????'))).toEqual([]);
  });

  it.for(['trust-irsa.json', 'trust-pod-identity.json'])('let only one service account assume the role: %s', (file) => {
    const [statement, ...others] = statementsOf(file);

    expect(others).toEqual([]);
    expect(JSON.stringify(statement?.Condition)).toMatch(/:sub"|kubernetes-service-account"/);
    expect(JSON.stringify(statement)).not.toContain('*');
  });
});

/** A resource of a CloudFormation template. */
interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

type Pattern = Readonly<Record<string, unknown>>;

/** EventBridge's own rules, as far as the example uses them. */
function matches(pattern: Pattern, event: Pattern): boolean {
  return Object.entries(pattern).every(([key, wanted]) => {
    if (key === '$or') {
      return (wanted as readonly Pattern[]).some((choice) => matches(choice, event));
    }
    const value = event[key];
    if (!Array.isArray(wanted)) {
      return matches(wanted as Pattern, (value ?? {}) as Pattern);
    }
    return wanted.some((each) => (typeof each === 'string' ? each === value : value === undefined));
  });
}

describe('the example of a change queue', () => {
  const { Resources: resources }: { Resources: Readonly<Record<string, Resource>> } = JSON.parse(
    readFileSync(join(directory, 'change-events.json'), 'utf8'),
  );
  const queueArn = { 'Fn::GetAtt': ['Queue', 'Arn'] };

  function propertiesOf(type: string): Resource['Properties'] {
    const [found, ...others] = Object.values(resources).filter(({ Type }) => Type === type);
    expect(others).toEqual([]);
    return found?.Properties ?? {};
  }

  it('keeps messages for all nodes, and no longer than needed', () => {
    const queue = propertiesOf('AWS::SQS::Queue');

    expect(queue).toMatchObject({ MessageRetentionPeriod: 300 });
    expect(queue).not.toHaveProperty('RedrivePolicy');
    // A FIFO queue would hold back what follows a message that is being read.
    expect(queue).not.toHaveProperty('FifoQueue');
  });

  it('lets only the rule send, and only the provider receive', () => {
    const [sends, receives] = ['AWS::SQS::QueuePolicy', 'AWS::IAM::ManagedPolicy'].map(
      (type) => (propertiesOf(type)['PolicyDocument'] as { readonly Statement: readonly Statement[] }).Statement,
    );

    expect(sends).toEqual([
      {
        Sid: 'TheRuleMaySend',
        Effect: 'Allow',
        Principal: { Service: 'events.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: queueArn,
        Condition: { ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': ['Rule', 'Arn'] } } },
      },
    ]);
    expect(receives).toEqual([
      { Sid: 'HearOfChanges', Effect: 'Allow', Action: 'sqs:ReceiveMessage', Resource: queueArn },
    ]);
    expect(propertiesOf('AWS::Events::Rule')['Targets']).toEqual([{ Id: 'queue', Arn: queueArn }]);
  });

  it.for<readonly [string, string, Pattern, boolean]>([
    ['aws.ssm', 'Parameter Store Change', { name: '/shop/db', operation: 'Update' }, true],
    ['aws.ssm', 'Parameter Store Policy Action', { 'parameter-name': '/shop/db' }, false],
    ['aws.secretsmanager', 'Secret Label Updated', { name: 'shop/db', labelUpdated: 'AWSCURRENT' }, true],
    ...['PutSecretValue', 'UpdateSecret', 'UpdateSecretVersionStage', 'RestoreSecret'].map(
      (eventName) =>
        [
          'aws.secretsmanager',
          'AWS API Call via CloudTrail',
          { eventName, requestParameters: { secretId: 'shop/db' } },
          true,
        ] as const,
    ),
    [
      'aws.secretsmanager',
      'AWS API Call via CloudTrail',
      { eventName: 'PutSecretValue', errorCode: 'AccessDenied', requestParameters: { secretId: 'shop/db' } },
      false,
    ],
    [
      'aws.secretsmanager',
      'AWS API Call via CloudTrail',
      { eventName: 'GetSecretValue', requestParameters: { secretId: 'shop/db' } },
      false,
    ],
    [
      'aws.secretsmanager',
      'AWS Service Event via CloudTrail',
      { eventName: 'RotationSucceeded', additionalEventData: { SecretId: 'shop/db' } },
      true,
    ],
    [
      'aws.secretsmanager',
      'AWS Service Event via CloudTrail',
      { eventName: 'RotationStarted', additionalEventData: { SecretId: 'shop/db' } },
      false,
    ],
  ])('reports %s, %s, %j: %s, as the provider parses it', ([source, type, detail, isTold]) => {
    const event = { source, 'detail-type': type, region: 'eu-west-1', detail };

    const passes = matches(propertiesOf('AWS::Events::Rule')['EventPattern'] as Pattern, event);

    expect(passes).toBe(isTold);
    expect(parseChangeEvents(JSON.stringify(event))).toHaveLength(isTold ? 1 : 0);
  });
});
