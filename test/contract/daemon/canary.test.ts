import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mintToken } from '../../fakes/aws/web-token.ts';
import { connect } from '../../../src/grpc/client.ts';
import { startProvider } from '../../fakes/provider-process.ts';
import { NEVER, POD, requestFor, serviceAccount, startNode, type TestNode } from './node.ts';

/** In every secret and token; must not be in any output or response of the provider. */
const MARK = 'canary7f3a';

const CLASSES = {
  'a mount that succeeds':
    '[{objectName: text, objectType: secretsmanager}, {objectName: /parameter, objectType: ssmparameter}]',
  'a value that is not JSON': '[{objectName: text, objectType: secretsmanager, jmesPath: [{path: a, objectAlias: b}]}]',
  'a path that points to an object':
    '[{objectName: json, objectType: secretsmanager, jmesPath: [{path: a, objectAlias: b}]}]',
  'a path that points nowhere':
    '[{objectName: json, objectType: secretsmanager, jmesPath: [{path: x, objectAlias: b}]}]',
  'an expression that fails':
    '[{objectName: json, objectType: secretsmanager, jmesPath: [{path: abs(a), objectAlias: b}]}]',
  'binary that is no JSON': '[{objectName: binary, objectType: secretsmanager, jmesPath: [{path: a, objectAlias: b}]}]',
  'a missing object beside others':
    '[{objectName: text, objectType: secretsmanager}, {objectName: none, objectType: secretsmanager}]',
  'a wrong class': '[{objectName: text}]',
} as const;

/** Refused because of its issuer; its signature is the mark. */
const TOKEN = `${mintToken('shop/web', { iss: 'https://elsewhere' }).split('.').slice(0, 2).join('.')}.${MARK}`;

function expectNoMark(words: readonly string[]): void {
  const text = words.join('\n');
  expect(text).not.toContain(MARK);
  expect(text).not.toContain(Buffer.from(MARK).toString('base64').slice(2, -4));
  expect(text).not.toContain(TOKEN.slice(-40));
}

describe('secrets and tokens', () => {
  let node: TestNode;
  const answers: string[] = [];

  beforeAll(async () => {
    node = await startNode({ args: ['--aws-max-attempts=1', '--rotation-poll-interval=1us'] });
    await node.seed.secret('text', `${MARK} is not JSON`);
    await node.seed.secret('json', JSON.stringify({ a: { [MARK]: [MARK] } }));
    await node.seed.secret('binary', new TextEncoder().encode(`{"${MARK}`));
    await node.seed.parameter('/parameter', MARK);
  });
  afterAll(() => node[Symbol.asyncDispose]());

  it.for(Object.entries(CLASSES))('are in no log line and no message: %s', async ([, objects]) => {
    const call = node.mount({ objects }, { tokens: { 'sts.amazonaws.com': mintToken('shop/web') } });
    answers.push(await call.then(() => '', String));

    expectNoMark([...node.log, ...answers]);
  });

  it('are in none if AWS refuses or its response is invalid', async () => {
    const objects = CLASSES['a mount that succeeds'];
    for (const body of [`{"SecretString":"${MARK}`, `<html>${MARK}</html>`, `{"__type":"Odd","message":"x"}`]) {
      using _ = node.aws.gate.state.inject({ kind: 'garble', status: 200, body }, { service: 'secretsmanager' });
      answers.push((await node.refused({ objects })).message);
    }
    const pod = { ...POD, serviceAccount: 'other' };
    node.api.put(serviceAccount('shop', 'other', node.roleArn));
    for (const token of [TOKEN, `${MARK}.${MARK}`]) {
      answers.push((await node.refused({ objects }, { pod, tokens: { 'sts.amazonaws.com': token } })).message);
    }

    expect(answers.filter((answer) => answer !== '').length).toBeGreaterThan(5);
    expectNoMark([...node.log, ...answers]);
  });

  it('are in no output of the process, with the most verbose log', async () => {
    await using provider = await startProvider(
      [
        '--provider-volume',
        `${node.folder}/other`,
        '--kubeconfig',
        node.api.kubeconfig,
        '--health-address',
        '127.0.0.1:0',
      ],
      { AWS_ENDPOINT_URL: node.aws.gate.url, AWS_REGION: 'us-east-1', LOG_LEVEL: 'debug', NODE_DEBUG: 'cluster' },
    );
    using client = connect(`${node.folder}/other/aws.sock`, 10_000);
    for (const objects of Object.values(CLASSES)) {
      const request = requestFor({ objects }, { pod: POD, targetPath: await node.newTarget() });
      await client.mount(request, NEVER).catch(() => undefined);
    }
    await provider.stop();

    expect(provider.log.length).toBeGreaterThan(Object.keys(CLASSES).length);
    expectNoMark(provider.log);
  });
});
