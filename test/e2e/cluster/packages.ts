import { existsSync } from 'node:fs';
import { runCommand } from './command.ts';
import { progress } from './progress.ts';

/** What the cluster takes from Debian, by the file that shows it is there. */
const PACKAGES: Readonly<Record<string, string>> = {
  runc: '/usr/sbin/runc',
  'containernetworking-plugins': '/usr/lib/cni/ptp',
  'busybox-static': '/usr/share/doc/busybox-static',
  nftables: '/usr/sbin/nft',
  iproute2: '/sbin/ip',
  openssl: '/usr/bin/openssl',
  'util-linux': '/usr/bin/nsenter',
};

/** Installs the missing ones with apt. */
export async function installPackages(): Promise<void> {
  const missing = Object.entries(PACKAGES).flatMap(([name, file]) => (existsSync(file) ? [] : [name]));
  if (missing.length === 0) {
    return;
  }
  progress(`installing ${missing.join(', ')}`);
  const options = { env: { DEBIAN_FRONTEND: 'noninteractive' }, timeoutMs: 300_000 };
  await runCommand('apt-get', ['update', '--quiet'], options);
  await runCommand('apt-get', ['install', '--yes', '--quiet', '--no-install-recommends', ...missing], options);
}
