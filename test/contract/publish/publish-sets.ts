/*
 * A program to be killed: `publish-sets.ts <target> <sets as JSON, path → text> [<call>]`.
 * Without a call it publishes the sets in turn for ever, after it has said `ready`; with one it publishes them once, and kills itself in place of that call.
 */
import { finish } from '../../../src/concurrency/time-slices.ts';
import { publish } from '../../../src/mount/volume/publish.ts';
import { atCall } from './at-call.ts';
import { filesOf } from './pod-view.ts';

const [target = '', json = '[]', call] = process.argv.slice(2);
const sets: Record<string, string>[] = JSON.parse(json);

process.stdout.write('ready\n');
if (call === undefined) {
  for (;;) {
    publishSets();
  }
}
atCall(Number(call), () => {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('killed');
});
publishSets();

function publishSets(): void {
  for (const set of sets) {
    finish(publish(target, filesOf(set)));
  }
}
