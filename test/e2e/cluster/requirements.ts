import { CHECKOUT } from './layout.ts';
import { runCommand } from './command.ts';

const GO = { major: 1, minor: 26 };

/** Says everything that is missing at once, so that one run is enough to find out. */
export async function checkRequirements(): Promise<void> {
  const missing: string[] = [];
  if (process.platform !== 'linux') {
    missing.push(`Linux (this is ${process.platform})`);
  } else if (process.getuid?.() !== 0) {
    missing.push('root: the cluster makes namespaces, mounts and cgroups');
  }
  const go = await runCommand('go', ['env', 'GOVERSION'], { cwd: CHECKOUT }).catch(() => 'no Go');
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(go) ?? [];
  if (Number(major) !== GO.major || Number(minor) < GO.minor) {
    missing.push(`Go ${GO.major}.${GO.minor} or newer on the PATH (found: ${go.trim()})`);
  }
  await runCommand('apt-get', ['--version']).catch(() => missing.push('apt-get, as on Debian or Ubuntu'));
  if (missing.length > 0) {
    throw new Error(
      `The test cluster needs:\n${missing.map((line) => `  - ${line}\n`).join('')}` +
        `To run the scenarios against a cluster you have: npm run e2e -- --kubeconfig FILE`,
    );
  }
}
