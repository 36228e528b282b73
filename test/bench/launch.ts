import { execFile } from 'node:child_process';
import { rm, truncate, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Command lines that put a program into the surroundings it has on a node. The process that comes of them is the program's own. */

/**
 * Sees, as in a pod, a service account's token and certificate authority in the usual place, and no kubeconfig. Needs root.
 * @param folder holds `token` and `ca.crt`
 */
export function inPod(folder: string, command: readonly string[]): readonly string[] {
  const script = `mount -t tmpfs -o size=1m pod "$(readlink -f /var/run)"
mkdir -p /var/run/secrets/kubernetes.io/serviceaccount
cp "$0/token" "$0/ca.crt" /var/run/secrets/kubernetes.io/serviceaccount
exec "$@"`;
  return ['unshare', '--mount', '--propagation', 'slave', 'sh', '-ec', script, folder, ...command];
}

/**
 * In a memory cgroup, and charged for the pages of its own program: those of a program that runs elsewhere too are charged to
 * whoever read them first. So it runs a copy that was made inside the group, and on a disk of its own, since how much Linux
 * reads ahead from this machine's disk decides when a full group begins to thrash: here it is the usual 128 KiB. With direct I/O
 * the loop device caches nothing itself. Needs root.
 * @param joinFile a process that writes its id there joins
 * @param disk file with an empty file system, as large as the program
 */
export function inCgroup(joinFile: string, disk: string, command: readonly string[]): readonly string[] {
  const script = `device=$(losetup --find --show --direct-io=on "$1")
blockdev --setra 256 "$device"
mkdir -p "$1.mounted"
mount "$device" "$1.mounted"
losetup --detach "$device"
echo $$ > "$0"
cp "$2" "$1.mounted/program"
sync "$1.mounted/program"
program=$1.mounted/program
shift 2
exec "$program" "$@"`;
  return ['unshare', '--mount', '--propagation', 'slave', 'sh', '-ec', script, joinFile, disk, ...command];
}

/** Bytes; Node weighs half of it. */
const DISK_SIZE = 256 * 2 ** 20;

/** An empty file system in a file. */
export async function makeDisk(file: string): Promise<string> {
  await rm(file, { force: true });
  await writeFile(file, '');
  await truncate(file, DISK_SIZE);
  await run('mkfs.ext4', ['-q', '-O', '^has_journal', file]);
  return file;
}
