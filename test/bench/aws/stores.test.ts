import { describe, expect, it } from 'vitest';
import { createCallCounter } from './call-counter.ts';
import { getParameters } from './parameter-store.ts';
import { batchGetSecretValue, getSecretValue } from './secrets-manager.ts';
import { createSessions } from './sessions.ts';
import type { CloudState } from './state.ts';
import { createTokenBuckets } from './token-buckets.ts';

const OWNER = 'team.app';
const SECRET = `bench/${OWNER}/secret-0`;

function stateAfter(generation: number): CloudState {
  return {
    settings: { latencyMs: 0, denied: [], rates: {}, secretBytes: 32 },
    generation,
    sessions: createSessions(),
    calls: createCallCounter(),
    buckets: createTokenBuckets(),
  };
}

describe('the stand-in for Secrets Manager', () => {
  it('keeps the version before a rotation under its stage and its id', () => {
    const before = getSecretValue({ SecretId: SECRET }, stateAfter(1), OWNER);
    const { VersionId: id, SecretString: value } = before as { VersionId: string; SecretString: string };

    const now = getSecretValue({ SecretId: SECRET }, stateAfter(2), OWNER);
    const previous = [
      getSecretValue({ SecretId: SECRET, VersionStage: 'AWSPREVIOUS' }, stateAfter(2), OWNER),
      getSecretValue({ SecretId: SECRET, VersionId: id }, stateAfter(2), OWNER),
    ];

    expect(now).not.toMatchObject({ VersionId: id });
    expect(previous).toEqual(
      [1, 2].map(() => expect.objectContaining({ SecretString: value, VersionStages: ['AWSPREVIOUS'] })),
    );
  });

  it('answers a batch for each secret separately', () => {
    const names = [SECRET, 'bench/team.other/secret-0', 'elsewhere'];

    const answer = batchGetSecretValue({ SecretIdList: names }, stateAfter(0), OWNER);

    expect(answer).toEqual({
      SecretValues: [expect.objectContaining({ Name: SECRET })],
      Errors: [
        expect.objectContaining({ SecretId: names[1], ErrorCode: 'AccessDeniedException' }),
        expect.objectContaining({ SecretId: names[2], ErrorCode: 'ResourceNotFoundException' }),
      ],
    });
  });

  it('refuses a batch of more than twenty', () => {
    const names = Array.from({ length: 21 }, (_, index) => `bench/${OWNER}/secret-${index}`);

    expect(() => batchGetSecretValue({ SecretIdList: names }, stateAfter(0), OWNER)).toThrow('1 to 20');
  });
});

describe('the stand-in for Parameter Store', () => {
  it('answers in the order of names, with selectors echoed and the missing listed', () => {
    const names = [`/bench/${OWNER}/b:1`, `/bench/${OWNER}/a`, '/elsewhere', `/bench/${OWNER}/c:9`];

    const answer = getParameters({ Names: names }, stateAfter(1), OWNER);

    expect(answer).toEqual({
      Parameters: [
        expect.objectContaining({ Name: `/bench/${OWNER}/a`, Version: 2 }),
        expect.objectContaining({ Name: `/bench/${OWNER}/b`, Version: 1, Selector: ':1' }),
      ],
      InvalidParameters: [`/bench/${OWNER}/c:9`, '/elsewhere'],
    });
  });

  it('fails as a whole for one forbidden name', () => {
    const names = [`/bench/${OWNER}/a`, '/bench/team.other/a'];

    expect(() => getParameters({ Names: names }, stateAfter(0), OWNER)).toThrow(
      'is not authorized to perform: ssm:GetParameters',
    );
  });
});
