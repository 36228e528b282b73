import { versionsIn } from '../aws-account.ts';
import { INTERVAL_MS, type World } from '../world.ts';
import type { Findings } from './findings.ts';

/** A volume or a Kubernetes Secret after it was written. */
export interface Holder {
  readonly name: string;
  /** Whose permissions the values were read with. */
  readonly role: string;
  readonly texts: readonly string[];
  /** For so many milliseconds after a version came, an older one may take its place again. */
  readonly toleranceMs: number;
  /** Whether the text may be there though AWS has not confirmed it for long. */
  mirrors(text: string): boolean;
}

/** From the answer of AWS to what is made of it: some attempts at the API server in between. */
const SLACK_MS = 60_000;

/** One version of each secret, that the identity could read a short while ago, and none older than before. */
export function createValueCheck({ clock, aws }: World, { violated }: Findings): (holder: Holder) => void {
  /** Greatest version of each secret that a holder had. */
  const newest = new Map<string, { readonly version: number; readonly at: number }>();

  return ({ name, role, texts, toleranceMs, mirrors }) => {
    const found = texts.flatMap(versionsIn);
    const [from, to] = [clock.now() - INTERVAL_MS - SLACK_MS, clock.now()];
    for (const [secret, version] of new Map(found)) {
      if (found.some(([other, another]) => other === secret && another !== version)) {
        violated(`${name} holds two versions of ${secret}`);
      }
      if (!aws.couldRead(role, secret, version, { from, to }) && !mirrors(`${secret}#${version}#`)) {
        violated(`${name} got version ${version} of ${secret}, which ${role} could not read within the interval`);
      }
      const key = `${name} ${secret}`;
      const before = newest.get(key) ?? { version: 0, at: 0 };
      if (version >= before.version) {
        newest.set(key, { version, at: version > before.version ? to : before.at });
      } else if (to - before.at > toleranceMs) {
        violated(`${name} went back from version ${before.version} to ${version} of ${secret}`);
      } else {
        newest.set(key, { version, at: before.at });
      }
    }
  };
}
