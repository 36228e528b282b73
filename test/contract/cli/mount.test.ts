import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../../../src/cli/commands.ts';
import { mintToken } from '../../fakes/aws/web-token.ts';
import { contentsOf, NEVER, startNode, type TestNode } from '../daemon/node.ts';

const MANIFEST = `kind: SecretProviderClass
metadata: {name: shop, namespace: shop}
spec:
  provider: aws
  parameters:
    objects: |
      - {objectName: db, objectType: secretsmanager, filePermission: "0400"}
      - {objectName: /url, objectType: ssmparameter, objectAlias: url}
`;

async function mount(node: TestNode, target: string, ...flags: readonly string[]) {
  const lines: string[] = [];
  const manifest = join(node.folder, 'class.yaml');
  const token = join(node.folder, 'token');
  await writeFile(manifest, MANIFEST);
  await writeFile(token, mintToken('shop/web'));
  const code = await run(
    [
      'mount',
      manifest,
      `--socket=${node.socketPath}`,
      `--target=${target}`,
      '--service-account=web',
      `--token-file=sts.amazonaws.com=${token}`,
      ...flags,
    ],
    { out: (line) => lines.push(line), err: (line) => lines.push(line), signal: NEVER, env: {} },
  );
  return { code, text: lines.join('\n') };
}

describe('mount', () => {
  it.for([
    ['a provider that writes', []],
    ['one that leaves it to the driver', ['--driver-writes-secrets']],
  ] as const)('writes the right bytes with the right modes: %s', async ([, args]) => {
    await using node = await startNode({ args });
    const { version } = await node.seed.secret('db', 'pa55');
    await node.seed.parameter('/url', 'https://example.com');
    const target = await node.newTarget();
    const { code, text } = await mount(node, target);

    expect(code).toBe(0);
    expect(await contentsOf(target)).toEqual({ db: ['400', 'pa55'], url: ['644', 'https://example.com'] });
    expect(text).toMatch(new RegExp(`0400 +4 +db +${version}\n0644 +19 +url +1$`));
    expect(text).not.toContain('pa55');
  });

  it('shows contents only if requested', async () => {
    await using node = await startNode();
    await node.seed.secret('db', 'pa55');
    await node.seed.parameter('/url', 'u');

    expect((await mount(node, await node.newTarget(), '--show-values')).text).toContain('"pa55"');
  });

  it("exits with 1 and the provider's message if it is refused", async () => {
    await using node = await startNode();
    const { code, text } = await mount(node, await node.newTarget());

    expect(code).toBe(1);
    expect(text).toMatch(/^NOT_FOUND: .*ResourceNotFoundException/);
  });

  it('exits with 1 if no provider listens', async () => {
    await using node = await startNode();
    const { code, text } = await mount(node, await node.newTarget(), '--socket=/no/such.sock', '--timeout=1');

    expect(code).toBe(1);
    expect(text).toMatch(/^UNAVAILABLE: /);
  });
});
