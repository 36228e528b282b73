import type { Steps } from '../concurrency/time-slices.ts';
import { ProviderError } from '../model/errors.ts';
import type { FetchedObjects } from '../model/fetched-object.ts';
import type { MountPlan, PlannedFile } from '../model/mount-plan.ts';
import { createJmesPath } from '../class/jmespath/jmespath.ts';
import { extract } from './extract.ts';

/** The driver accepts 4 MiB per response by default (`--max-call-recv-msg-size`); the rest is for paths and framing. */
const MAX_BYTES = 4 * 1024 * 1024 - 64 * 1024;

/** Failures of a mount that are listed; the others are only counted. */
const MAX_FAILURES = 100;

/** Version entry of a volume without files: the driver rejects an empty list ("missing object versions"). */
const NO_OBJECTS = ['no-objects', 'none'] as const;

/**
 * Plans the files of a volume. It succeeds as a whole or fails as a whole: a new user name with an old password is worse than an old pair.
 * @param now on the monotonic clock
 * @throws ProviderError naming the objects that failed; PayloadTooLarge if the driver would not accept the response
 */
export function* planMount(objects: FetchedObjects, now: number): Steps<MountPlan> {
  const jmesPath = createJmesPath();
  const files: PlannedFile[] = [];
  const versions = new Map<string, string>();
  const failures: ProviderError[] = [];
  let failed = 0;
  let confirmedAt = now;
  // Every object is written as a whole too, so this detects too large a payload before any extraction.
  let size = sizeOf(objects);
  checkSize(size);
  for (const [object, fetched] of objects) {
    for (const file of fetched instanceof ProviderError ? [fetched] : extract(object, fetched.value, jmesPath)) {
      yield;
      if (file instanceof ProviderError) {
        failed += 1;
        failures.push(...(failed <= MAX_FAILURES ? [file] : []));
      } else if (!(fetched instanceof ProviderError)) {
        size += file.value === fetched.value ? 0 : file.value.size;
        checkSize(size);
        files.push(file);
        versions.set(file.path, fetched.version);
        confirmedAt = Math.min(confirmedAt, fetched.confirmedAt);
      }
    }
  }
  if (failed > 0) {
    throw ProviderError.all(failures, failed - failures.length);
  }
  return { files, versions: files.length > 0 ? versions : new Map([NO_OBJECTS]), confirmedAt };
}

function sizeOf(objects: FetchedObjects): number {
  return [...objects.values()].reduce(
    (sum, fetched) => sum + (fetched instanceof ProviderError ? 0 : fetched.value.size),
    0,
  );
}

function checkSize(size: number): void {
  if (size > MAX_BYTES) {
    throw new ProviderError(
      'PayloadTooLarge',
      `the objects of this volume hold ${size} bytes together, more than the ${MAX_BYTES} a volume may: split them over two SecretProviderClasses`,
    );
  }
}
