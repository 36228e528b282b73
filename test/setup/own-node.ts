import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * With an older version of Node many tests fail, each for a different reason.
 * @throws Error that says which Node the tests need, and where it is
 */
export function requireOwnNode(): void {
  const { devDependencies } = JSON.parse(
    readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8'),
  ) as {
    readonly devDependencies: { readonly node: string };
  };
  const needed = Number.parseInt(devDependencies.node, 10);
  const { node } = process.versions;
  if (Number.parseInt(node, 10) < needed) {
    throw new Error(
      `The tests need Node ${needed} or newer, and this is Node ${node}: start them by npm or npx, which use the one in node_modules/.bin`,
    );
  }
}
