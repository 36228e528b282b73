import type { Mutant } from './files.ts';

/** What is written, in which order, and whether it is complete. */
export const OF_WRITING: readonly Mutant[] = [
  {
    bug: 'versions are recorded before the downstream steps',
    file: 'pollGroup',
    find: 'const { error, dueInMs } =',
    replace: 'await noteVersions({ mount, present }, served.versions, deps, signal);\n  const { error, dueInMs } =',
  },
  {
    bug: 'a workload is restarted although its Secret could not be written',
    file: 'downstream',
    find: '!PERMANENT.has(error.reason)',
    replace: 'PERMANENT.size === 0',
  },
  {
    bug: 'a workload waits forever for a Secret that is refused',
    file: 'downstream',
    find: '!PERMANENT.has(error.reason)',
    replace: 'PERMANENT.size > 0',
  },
  {
    bug: 'a volume changes although AWS confirmed only some of the new values',
    file: 'serve',
    find: 'confirmedAt < mounted.keepUnlessConfirmedSince',
    replace: 'confirmedAt < -Infinity',
  },
  {
    bug: 'a volume that the driver has emptied is filled again',
    file: 'serve',
    find: '(await deps.volumes?.isFilled(spec.targetPath)) === false',
    replace: 'spec.targetPath === ""',
  },
  {
    bug: 'work on one key does not wait for the work before it',
    file: 'keyedLock',
    find: 'await before;',
    replace: '',
  },
  { bug: 'one party takes all slots', file: 'fairQueue', find: 'SHARE = 3 / 4', replace: 'SHARE = 1' },
  {
    bug: 'a party with many waiting items overtakes one with few',
    file: 'fairQueue',
    find: 'member.running < fewest ?',
    replace: 'next === undefined ?',
  },
  {
    bug: 'more tasks run than there are slots',
    file: 'fairQueue',
    find: 'group.running >= limit',
    replace: 'group.running > limit',
  },
  {
    bug: 'an older value replaces a newer one in a Secret',
    file: 'decide',
    find: 'storedConfirmedAt > confirmedAt &&',
    replace: 'storedConfirmedAt > Infinity &&',
  },
  {
    bug: 'a Secret with other values counts as equal',
    file: 'decide',
    find: 'held !== undefined && Buffer.compare(held.expose(), value.expose()) === 0',
    replace: 'held !== undefined',
  },
  {
    bug: 'what the class no longer names stays in a Secret',
    file: 'decide',
    find: 'digest === undefined || digest === fieldsDigest(desired)',
    replace: 'digest !== ""',
  },
  {
    bug: 'an immutable Secret is written to',
    file: 'decide',
    find: '(!stored.isImmutable ||',
    replace: '(stored.type === desired.type ||',
  },
  {
    bug: 'a Secret is written over what another wrote meanwhile',
    file: 'reconcileSecret',
    find: 'return { namespace, name, uid, resourceVersion };',
    replace: 'return resourceVersion === "" ? { namespace, name, uid, resourceVersion } : { namespace, name };',
  },
  {
    bug: 'a Secret that was left with newer values counts as ours',
    file: 'secretSync',
    find: 'return Object.assign({}, ...verdicts);',
    replace: 'return {};',
  },
  {
    bug: 'an older confirmation restarts a workload',
    file: 'planRestart',
    find: 'known.confirmedAt >= seen.confirmedAt &&',
    replace: 'known.confirmedAt > Infinity &&',
  },
  {
    bug: 'a workload is restarted when first seen',
    file: 'planRestart',
    find: 'known?.className !== className',
    replace: 'known !== undefined && known.className !== className',
  },
  {
    bug: 'a workload is restarted again for the same versions',
    file: 'planRestart',
    find: 'known.hash === seen.hash',
    replace: 'known.hash === ""',
  },
  {
    bug: 'a volume shows new files before all of them are there',
    file: 'publish',
    find: 'yield* fill(dir, files);',
    replace: 'relink(`${dir}.early`, join(at, DATA_LINK), basename(dir));\n    yield* fill(dir, files);',
  },
  {
    bug: 'files of removed objects stay',
    file: 'publish',
    find: 'yield* toTheEnd(sweep(at, topNames(files)));',
    replace: '',
  },
  {
    bug: 'a change of mode alone is not written',
    file: 'publish',
    find: 'file?.mode === mode && ',
    replace: 'file !== undefined && ',
  },
  {
    bug: 'a path may lead out of the volume',
    file: 'publish',
    find: 'if (!isInside)',
    replace: 'if (!isInside && path === "")',
  },
  {
    bug: 'a volume that another process has written counts as ours',
    file: 'volumes',
    find: 'dataDir === volume?.dataDir',
    replace: 'dataDir !== ""',
  },
  {
    bug: 'a changed class gets the versions of the previous one',
    file: 'volumes',
    find: 'volume?.fingerprint === fingerprint',
    replace: 'volume !== undefined',
  },
];
