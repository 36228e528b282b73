import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runCommand } from './command.ts';

export interface ImageConfig {
  /** With registry and tag, such as `e2e.local/app:1`: Kubernetes takes a name without one for an image of docker.io. */
  readonly name: string;
  readonly entrypoint: readonly string[];
  readonly env?: readonly string[];
  readonly workingDir?: string;
  /** Numeric `uid:gid`; default: root. */
  readonly user?: string;
}

interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/**
 * Packs a folder as the single layer of an image and writes the OCI image layout (image-spec v1.1, image-layout.md) as a
 * tar that `ctr images import` takes. Nothing in it depends on the time, so equal folders give equal images.
 */
export async function writeImage(rootFolder: string, config: ImageConfig, tarFile: string): Promise<void> {
  const layout = `${tarFile}.layout`;
  await rm(layout, { recursive: true, force: true });
  await mkdir(path.join(layout, 'blobs/sha256'), { recursive: true });

  const layerTar = path.join(layout, 'layer.tar');
  await tar(rootFolder, layerTar);
  const layer = await keepFile(layout, layerTar, 'application/vnd.oci.image.layer.v1.tar');
  const image = await keep(layout, 'application/vnd.oci.image.config.v1+json', {
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    os: 'linux',
    config: {
      Entrypoint: config.entrypoint,
      Env: ['PATH=/usr/local/bin:/usr/bin:/bin', ...(config.env ?? [])],
      WorkingDir: config.workingDir ?? '/',
      User: config.user ?? '0:0',
    },
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  });
  const manifestType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = await keep(layout, manifestType, {
    schemaVersion: 2,
    mediaType: manifestType,
    config: image,
    layers: [layer],
  });
  // containerd names the image by this annotation of its own and by no other.
  const annotations = { 'io.containerd.image.name': config.name };
  await writeFile(
    path.join(layout, 'index.json'),
    JSON.stringify({ schemaVersion: 2, manifests: [{ ...manifest, annotations }] }),
  );
  await writeFile(path.join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));

  await tar(layout, tarFile);
  await rm(layout, { recursive: true });
}

async function tar(folder: string, file: string): Promise<void> {
  const plain = ['--sort=name', '--mtime=@0', '--numeric-owner', '--owner=0', '--group=0', '--format=pax'];
  const noTimes = '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime';
  await runCommand('tar', [...plain, noTimes, '-cf', file, '-C', folder, '.']);
}

async function keep(layout: string, mediaType: string, content: unknown): Promise<Blob> {
  const file = path.join(layout, 'blob.json');
  await writeFile(file, JSON.stringify(content));
  return keepFile(layout, file, mediaType);
}

async function keepFile(layout: string, file: string, mediaType: string): Promise<Blob> {
  const hash = createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
  const { size } = await stat(file);
  await rename(file, path.join(layout, 'blobs/sha256', hash));
  return { mediaType, digest: `sha256:${hash}`, size };
}
