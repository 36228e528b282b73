import { get } from 'node:http';
import type { AttackedNode } from './attacked-node.ts';

/** Port of the provider's health checks, from its log. */
export function healthPortOf({ provider }: AttackedNode): number {
  return Number(/"healthPort":(\d+)/.exec(provider.log.join('\n'))?.[1]);
}

/** One request on a new connection, like the kubelet's probe. @returns the status */
export async function livez(port: number): Promise<number | undefined> {
  return await new Promise((resolve, reject) => {
    const request = get({ port, host: '127.0.0.1', path: '/livez', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.once('error', reject);
  });
}
