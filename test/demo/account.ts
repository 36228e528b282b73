import { type AwsFakes, startAwsFakes } from '../fakes/aws/start-aws-fakes.ts';
import type { Seed } from '../fakes/aws/seed.ts';

const REGION = 'us-east-1';
export const SERVICE_ACCOUNT = 'demo/shop';

/** An emulated AWS account with a shop's secrets, and the role of the shop's pods. */
export interface DemoAccount {
  readonly fakes: AwsFakes;
  readonly roleArn: string;
  readonly seed: Seed;
}

export async function openAccount(motoUrl: string): Promise<DemoAccount> {
  const fakes = await startAwsFakes({ motoUrl });
  const seed = await fakes.seed(REGION);
  await seed.secret('prod/db', dbSecret('correct-horse-1'));
  await seed.secret('prod/certificate', new Uint8Array([0x30, 0x82, 0x01, 0x0a]));
  await seed.parameter('/prod/api-url', 'https://api.example.com');
  const roleArn = fakes.addRole(
    'shop',
    [SERVICE_ACCOUNT],
    [
      { actions: ['secretsmanager:BatchGetSecretValue'], resources: ['*'] },
      { actions: ['secretsmanager:GetSecretValue'], resources: [`arn:aws:secretsmanager:${REGION}:*:secret:prod/*`] },
      { actions: ['ssm:GetParameters'], resources: [`arn:aws:ssm:${REGION}:*:parameter/prod/*`] },
    ],
  );
  return { fakes, roleArn, seed };
}

/** Rotates the database's password, as a rotation function would at its last step. */
export async function rotate({ seed }: DemoAccount): Promise<void> {
  await seed.secretVersion('prod/db', dbSecret('battery-staple-2'));
}

function dbSecret(password: string): string {
  return JSON.stringify({ username: 'shop', password, port: 5432 });
}
