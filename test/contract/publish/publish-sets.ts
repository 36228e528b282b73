/*
 * A program to be killed: `publish-sets.ts <target> <sets as JSON, path → text>` publishes the sets repeatedly in this order, after it has printed `ready`.
 */
import { finish } from '../../../src/concurrency/time-slices.ts';
import { publish } from '../../../src/mount/volume/publish.ts';
import { filesOf } from './pod-view.ts';

const [target = '', json = '[]'] = process.argv.slice(2);
const sets: Record<string, string>[] = JSON.parse(json);

process.stdout.write('ready\n');
for (;;) {
  for (const set of sets) {
    finish(publish(target, filesOf(set)));
  }
}
