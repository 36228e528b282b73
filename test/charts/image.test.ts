import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const dockerfile = readFileSync(join(root, 'deploy', 'Dockerfile'), 'utf8');

describe('the image', () => {
  it('is built from files that exist and are in the build context', () => {
    const ignore = readFileSync(join(root, 'deploy', 'Dockerfile.dockerignore'), 'utf8').split('\n');

    const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names = '']) =>
      names.split(' '),
    );

    expect(sources.length).toBeGreaterThan(5);
    expect(sources.filter((source) => !existsSync(join(root, source)))).toEqual([]);
    expect(sources.filter((source) => !ignore.includes(`!${source}`))).toEqual([]);
  });

  it('starts the program that the bundle contains', () => {
    const bundle = readFileSync(join(root, 'deploy', 'bundle.mjs'), 'utf8');

    const entry: readonly string[] = JSON.parse(/^ENTRYPOINT (.+)$/m.exec(dockerfile)?.[1] ?? '[]');

    expect(entry.at(-1)).toBe('/app/aws-secrets-csi.cjs');
    expect(bundle).toContain("'aws-secrets-csi': join(root, 'src', 'main.ts')");
    expect(dockerfile).toContain('COPY --from=bundle /src/dist /app');
  });
});
