import { writeFile } from 'node:fs/promises';
import { runCommand } from './command.ts';

/**
 * The node's own address: pods reach servers of the test process and the API server under it. It lives on the loopback
 * interface of the machine's network namespace, so nothing sent to it can leave this machine.
 */
export const NODE_ADDRESS = '10.90.0.1';
export const POD_RANGE = '10.91.0.0/16';
export const SERVICE_RANGE = '10.96.0.0/16';
/** The address of the API server in every pod: the first of the service range. */
export const API_SERVICE_ADDRESS = '10.96.0.1';

/** Where EKS has its Pod Identity agent on every node; a scenario may put one there. */
const POD_IDENTITY_ADDRESSES = ['169.254.170.23', 'fd00:ec2::23'];

/** Sets up the empty network namespace this process runs in. */
export async function setUpNetwork(): Promise<void> {
  const [agent4 = '', agent6 = ''] = POD_IDENTITY_ADDRESSES;
  await ip('link', 'set', 'lo', 'up');
  await ip('address', 'add', `${NODE_ADDRESS}/32`, 'dev', 'lo');
  await ip('address', 'add', `${agent4}/32`, 'dev', 'lo');
  await ip('-6', 'address', 'add', `${agent6}/128`, 'dev', 'lo');
  // kube-proxy rewrites a service's address after the kernel has looked for a route, so there must be one.
  await ip('route', 'add', SERVICE_RANGE, 'dev', 'lo', 'src', NODE_ADDRESS);
  await writeFile('/proc/sys/net/ipv4/ip_forward', '1');
}

/** CNI: each pod gets an address and a cable of its own to the node, and is routed. */
export function cniConfig(): string {
  return JSON.stringify({
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      {
        type: 'ptp',
        ipMasq: false,
        ipam: { type: 'host-local', ranges: [[{ subnet: POD_RANGE }]], routes: [{ dst: '0.0.0.0/0' }] },
      },
    ],
  });
}

function ip(...args: string[]): Promise<string> {
  return runCommand('ip', args);
}
