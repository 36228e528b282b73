import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const MEMORY = '/dev/shm';

/** Has temporary files of this process and its children in memory, as a node's volumes are, for as long as it runs: a busy disk makes tests wait. */
export function keepTemporaryFilesInMemory(): void {
  if (existsSync(MEMORY)) {
    const folder = mkdtempSync(join(MEMORY, 'csi-'));
    process.env['TMPDIR'] = folder;
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  }
}
