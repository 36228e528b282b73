import { expect, it } from 'vitest';
import { mintToken } from '../../../test/fakes/aws/web-token.ts';
import { SYSTEM_CLOCK } from '../../concurrency/clock.ts';
import { SecretBytes } from '../../model/secret-bytes.ts';
import type { MountSpec } from '../../model/mount-spec.ts';
import type { AwsSettings } from '../client/settings.ts';
import type { Credentials } from '../client/clients.ts';
import { createAuthentication } from './credentials.ts';
import { identityKey } from '../model/identity.ts';

const NEVER = new AbortController().signal;
const POD = { namespace: 'shop', name: 'web-1', uid: 'uid-1', serviceAccount: 'web' } as const;

/** A source before an STS in each region that issues credentials when the test allows it. */
function createSource() {
  const asked: string[] = [];
  const answers = new Map<string, PromiseWithResolvers<Credentials>>();
  const authenticate = createAuthentication({
    // Of the Pod Identity agent, which is not used here.
    settings: {} as AwsSettings,
    clock: SYSTEM_CLOCK,
    roleOf: async () => 'arn:aws:iam::111122223333:role/shop',
    clients: {
      assumeRoleWithWebIdentity({ region }) {
        asked.push(region);
        const answer = Promise.withResolvers<Credentials>();
        answers.set(region, answer);
        return answer.promise;
      },
    },
    deadline: () => NEVER,
  });
  return {
    authenticate,
    asked,
    give(region: string): Credentials {
      const credentials = {
        accessKeyId: `key of ${region}`,
        secretAccessKey: 's',
        sessionToken: 't',
        expiration: new Date(Date.now() + 3_600_000),
      };
      answers.get(region)?.resolve(credentials);
      return credentials;
    },
  };
}

function specWith(token: string): MountSpec {
  return {
    regions: ['us-east-1'],
    authentication: { kind: 'irsa' },
    objects: [],
    targetPath: '/nowhere',
    pod: POD,
    tokens: new Map([['sts.amazonaws.com', SecretBytes.fromText(token)]]),
  };
}

it('waits only for the STS of the requested region, so that a hanging one does not block the failover region', async () => {
  const { authenticate, asked, give } = createSource();
  const { credentialsIn } = await authenticate(specWith(mintToken('shop/web')), NEVER);
  const hanging = credentialsIn('us-east-1', NEVER);
  const other = credentialsIn('us-west-2', NEVER);
  await expect.poll(() => asked).toEqual(['us-east-1', 'us-west-2']);

  const given = give('us-west-2');

  expect(await other).toEqual(given);
  expect(await Promise.race([hanging, Promise.resolve('still waiting')])).toBe('still waiting');
});

it('uses the identity as the key if AWS would accept the token, also for a renewed one', async () => {
  const { authenticate } = createSource();
  const [one, renewed] = await Promise.all(
    [mintToken('shop/web'), mintToken('shop/web', { exp: Math.floor(Date.now() / 1_000) + 7_200 })].map((token) =>
      authenticate(specWith(token), NEVER),
    ),
  );

  expect([one?.isOwn, renewed?.isOwn]).toEqual([true, true]);
  expect([one?.key, renewed?.key]).toEqual([identityKey(one!.identity), identityKey(one!.identity)]);
});

it.for([
  ['has ended', mintToken('shop/web', { exp: 1 })],
  ['is for another audience', mintToken('shop/web', { aud: ['vault'] })],
  ['is of another service account', mintToken('shop/other')],
  ["is of another namespace's service account", mintToken('other/web')],
  ['is none', 'no token'],
] as const)('shares nothing if the token %s', async ([, token]) => {
  const { authenticate } = createSource();
  const own = await authenticate(specWith(mintToken('shop/web')), NEVER);
  const one = await authenticate(specWith(token), NEVER);
  const again = await authenticate(specWith(token), NEVER);

  expect([one.isOwn, again.isOwn]).toEqual([false, false]);
  expect(new Set([own.key, one.key, again.key]).size).toBe(3);
});
