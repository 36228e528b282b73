import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { finish } from '../../src/concurrency/time-slices.ts';
import { createWriteBudget } from '../../src/mount/volume/write-budget.ts';
import { SecretBytes } from '../../src/model/secret-bytes.ts';
import { makeMemoryCgroup, type MemoryCgroup } from '../bench/memory-cgroup.ts';

const MIB = 2 ** 20;
/** What two commands need besides files. */
const SLACK_MIB = 2;
let volume: string;

beforeEach(() => {
  volume = mkdtempSync(join(tmpdir(), 'attack-tmpfs-'));
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', volume]);
});
afterEach(() => {
  execFileSync('umount', [volume]);
  rmSync(volume, { recursive: true });
});

function runIn({ joinFile }: MemoryCgroup, command: string): void {
  execFileSync('sh', ['-c', `echo $$ > "$0"; ${command}`, joinFile], { cwd: volume, stdio: 'ignore' });
}

/** MiB that the kernel charges to the group now. */
function chargedTo({ folder }: MemoryCgroup): number {
  const [file = ''] = ['memory.usage_in_bytes', 'memory.current'].filter((name) => existsSync(join(folder, name)));
  return Number(readFileSync(join(folder, file), 'utf8')) / MIB;
}

describe("the basis of the chart's memory limits", () => {
  it('is that the kernel charges a page of a volume to its writer, until the file is removed', () => {
    using writer = makeMemoryCgroup(`attack-writer-${process.pid}`, 200 * MIB);
    using reader = makeMemoryCgroup(`attack-reader-${process.pid}`, 200 * MIB);
    runIn(writer, 'head -c 20971520 /dev/zero > file');
    const written = chargedTo(writer);
    runIn(reader, 'cat file');
    const read = [chargedTo(writer), chargedTo(reader)];
    runIn(reader, 'rm file');
    const removed = chargedTo(writer);
    runIn(writer, 'for i in $(seq 1000); do echo x > f$i; done');
    const small = chargedTo(writer);

    expect(written).toBeGreaterThan(20);
    expect(read[0]).toBeGreaterThan(20);
    expect(read[1]).toBeLessThan(SLACK_MIB);
    expect(removed).toBeLessThan(SLACK_MIB);
    expect(small).toBeGreaterThan(4);
  });
});

describe('a provider that has been restarted', () => {
  it('counts what its predecessor has written', () => {
    const budget = createWriteBudget({ maxVolumeBytes: 4 * MIB, maxNodeBytes: 16 * MIB });
    execFileSync('sh', ['-c', 'mkdir ..set; head -c 14680064 /dev/zero > ..set/file'], { cwd: volume });
    symlinkSync('..set', join(volume, '..data'));
    const files = [{ path: 'file', mode: 0o644, value: new SecretBytes(Buffer.alloc(3 * MIB)) }];

    const writing = budget.within({ targetPath: volume, namespace: 'shop' }, files, function* write(beforeWriting) {
      yield beforeWriting();
    });

    expect(() => finish(writing)).toThrow(/take 14680064 bytes of memory, and \d+ more/);
  });
});
