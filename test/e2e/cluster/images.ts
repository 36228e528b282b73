import { existsSync } from 'node:fs';
import { copyFile, mkdir, realpath, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { imageSettings } from '../../fakes/image-settings.ts';
import { runCommand } from './command.ts';
import { DISK, program } from './layout.ts';
import type { ImageConfig } from './oci-image.ts';
import { writeImage } from './oci-image.ts';

export const PAUSE_IMAGE = 'e2e.local/pause:1';

/** A shell and the usual small programs; it sleeps by default. */
export const APP_IMAGE = 'e2e.local/app:1';

const IMAGES = path.join(DISK, 'images');

/** Returns the tar of the image every pod's sandbox is made of. */
export function makePauseImage(): Promise<string> {
  return makeImage({ name: PAUSE_IMAGE, entrypoint: ['/pause'] }, async (root) => {
    await copyFile(await realpath(program('pause')), path.join(root, 'pause'));
  });
}

/** Returns the tar of {@link APP_IMAGE}. */
export function makeAppImage(): Promise<string> {
  return makeImage({ name: APP_IMAGE, entrypoint: ['/bin/sleep', 'infinity'] }, async (root) => {
    const busybox = await realpath('/bin/busybox');
    await mkdir(path.join(root, 'bin'));
    await mkdir(path.join(root, 'tmp'));
    await copyFile(busybox, path.join(root, 'bin/busybox'));
    const applets = (await runCommand(busybox, ['--list'])).trim().split('\n');
    for (const applet of applets.filter((name) => name !== 'busybox')) {
      await symlink('busybox', path.join(root, 'bin', applet));
    }
  });
}

export interface NodeImage extends ImageConfig {
  /** Files and folders to put in, by their place in the image. */
  readonly files: Readonly<Record<string, string>>;
}

/** Returns the tar of an image with this very Node in `/usr/local/bin/node`, the libraries it needs, and some files. */
export function makeNodeImage(image: NodeImage): Promise<string> {
  return makeImage(image, async (root) => {
    const node = await realpath(process.execPath);
    await place(node, root, '/usr/local/bin/node');
    for (const library of await librariesOf(node)) {
      await place(library, root, library);
    }
    for (const [to, from] of Object.entries(image.files)) {
      await place(from, root, to);
    }
    await mkdir(path.join(root, 'tmp'), { recursive: true });
  });
}

/**
 * Returns the tar of the provider's image.
 * @param dist the folder that `npm run bundle` fills
 */
export function makeProviderImage(dist: string, name: string): Promise<string> {
  const { nodeFlags, env } = imageSettings();
  return makeNodeImage({
    name,
    entrypoint: ['node', ...nodeFlags, '/app/aws-secrets-csi.cjs'],
    env: Object.entries(env).map(([variable, value]) => `${variable}=${value}`),
    files: { '/app': dist },
  });
}

async function makeImage(config: ImageConfig, fill: (root: string) => Promise<void>): Promise<string> {
  const name = config.name.replaceAll(/[^\w.-]/g, '_');
  const root = path.join(IMAGES, `${name}.root`);
  await rm(root, { recursive: true, force: true });
  await mkdir(root, { recursive: true });
  await fill(root);
  const tarFile = path.join(IMAGES, `${name}.tar`);
  await writeImage(root, config, tarFile);
  await rm(root, { recursive: true });
  return tarFile;
}

async function place(from: string, root: string, to: string): Promise<void> {
  const target = path.join(root, to);
  await mkdir(path.dirname(target), { recursive: true });
  await runCommand('cp', ['--recursive', '--dereference', '--no-target-directory', from, target]);
}

/** Where the dynamic linker finds them; for a name on a symbolic link the file is put under that same name. */
async function librariesOf(file: string): Promise<string[]> {
  const listed = await runCommand('ldd', [file]);
  const files = [...listed.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map(([, library]) => library ?? '');
  return files.filter((library) => existsSync(library));
}
