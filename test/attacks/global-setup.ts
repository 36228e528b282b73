import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

export { setup } from '../contract/global-setup.ts';

/** What is attacked is what the image holds. */
await promisify(execFile)(process.execPath, [join(import.meta.dirname, '..', '..', 'deploy', 'bundle.mjs')]);
