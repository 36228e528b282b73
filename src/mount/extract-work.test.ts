import { describe, expect, it } from 'vitest';
import { SecretBytes } from '../model/secret-bytes.ts';
import type { ObjectSpec } from '../model/mount-spec.ts';
import { createJmesPath } from '../class/jmespath/jmespath.ts';
import { extract } from './extract.ts';

const LIST = JSON.stringify(Array.from({ length: 32_000 }, (_, index) => index % 10));
const TEXT = JSON.stringify('x'.repeat(65_000));

function objectWith(...expressions: readonly string[]): ObjectSpec {
  return {
    store: 'secretsmanager',
    name: 'db',
    path: 'db',
    mode: 0o644,
    primary: { name: 'db' },
    failover: { name: 'db' },
    extractions: expressions.map((expression, index) => ({
      expression,
      alias: `f${index}`,
      path: `f${index}`,
      mode: 0o644,
    })),
  };
}

describe('extract', () => {
  it('counts the work of all expressions of a mount together', () => {
    const object = objectWith(...Array.from({ length: 1000 }, () => 'to_string(sort(@))'));
    const value = SecretBytes.fromText(LIST);
    const found: unknown[] = [];

    expect(() => {
      for (const part of extract(object, value, createJmesPath())) {
        found.push(part);
      }
    }).toThrow(/take too much work together/);
    expect(found.length).toBeLessThan(200);
  });

  it('counts the parsing of a value too', () => {
    const jmesPath = createJmesPath(3 * TEXT.length);
    const value = SecretBytes.fromText(TEXT);
    function extractAgain(): void {
      expect([...extract(objectWith('@'), value, jmesPath)]).toHaveLength(2);
    }

    extractAgain();
    extractAgain();
    expect(extractAgain).toThrow(/take too much work together/);
  });
});
