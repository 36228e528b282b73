import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What deploy/Dockerfile sets for the provider's process, so that tests and bench run it in the same way. */
export interface ImageSettings {
  readonly nodeFlags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const DOCKERFILE = join(import.meta.dirname, '..', '..', 'deploy', 'Dockerfile');

/** @throws Error if the Dockerfile has no ENTRYPOINT as a JSON array */
export function imageSettings(): ImageSettings {
  const dockerfile = readFileSync(DOCKERFILE, 'utf8');
  const [, entrypoint] = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile) ?? [];
  if (entrypoint === undefined) {
    throw new Error('deploy/Dockerfile has no ENTRYPOINT to take the flags of Node from');
  }
  const words: readonly string[] = JSON.parse(entrypoint);
  const variables = [...dockerfile.matchAll(/^ENV (\w+)=(\S+)$/gm)].map(([, name = '', value = '']) => [name, value]);
  return { nodeFlags: words.filter((word) => word.startsWith('--')), env: Object.fromEntries(variables) };
}
