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
 * whoever read them first. So it runs a copy that was made inside the group.
 * @param joinFile a process that writes its id there joins
 * @param folder for the copies, on a disk: a tmpfs could not be reclaimed
 */
export function inCgroup(
  joinFile: string,
  folder: string,
  [program = '', ...args]: readonly string[],
): readonly string[] {
  const script = `echo $$ > "$0"
cp "$2" "$1/program"
sync "$1/program"
program=$1/program
shift 2
exec "$program" "$@"`;
  return ['sh', '-ec', script, joinFile, folder, program, ...args];
}
