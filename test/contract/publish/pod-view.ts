import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PlannedFile } from '../../../src/model/mount-plan.ts';
import { SecretBytes } from '../../../src/model/secret-bytes.ts';

export interface TemporaryVolume extends Disposable {
  readonly path: string;
}

export function temporaryVolume(): TemporaryVolume {
  const path = mkdtempSync(join(tmpdir(), 'volume-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export function plannedFile(path: string, text: string, mode = 0o644): PlannedFile {
  return { path, mode, value: SecretBytes.fromText(text) };
}

/** Files of mode 0644 from path → text. */
export function filesOf(set: Readonly<Record<string, string>>): PlannedFile[] {
  return Object.entries(set).map(([path, text]) => plannedFile(path, text));
}

/** Writes files as AWS's provider does, name by name: a temporary file, then a rename over an existing one. */
export function plant(target: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(target, '.planting'), text, { mode: 0o644 });
    renameSync(join(target, '.planting'), join(target, name));
  }
}

/** What a pod can open, by plain system calls and visible names only: path → octal mode and text in hex. A name that does not resolve is not a file. */
export function podView(target: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(target)
      .filter((name) => !name.startsWith('..'))
      .flatMap((name) => viewTree(target, name)),
  );
}

/** The expected `podView`. */
export function viewOf(files: readonly PlannedFile[]): Record<string, string> {
  return Object.fromEntries(files.map(({ path, mode, value }) => [path, describe(mode, value.expose())]));
}

/** Everything at the top of a volume, including hidden names: `name` or `name -> target`, each directory of a set as `<dir>`. */
export function layoutOf(target: string): string[] {
  return readdirSync(target, { withFileTypes: true })
    .map((entry) => {
      const to = entry.isSymbolicLink() ? ` -> ${hideTime(readlinkSync(join(target, entry.name)))}` : '';
      return hideTime(entry.name) + to;
    })
    .toSorted();
}

/** `layoutOf` a volume that contains only files of these top-level names. */
export function layoutWith(...names: string[]): string[] {
  const links = [...new Set(names)].map((name) => `${name} -> ..data/${name}`);
  return ['<dir>', '..data -> <dir>', ...links].toSorted();
}

/** Inode and times of everything, by path: what a write would change. */
export function statsBelow(target: string): Record<string, unknown> {
  const paths = ['.', ...readdirSync(target, { recursive: true, encoding: 'utf8' })];
  return Object.fromEntries(
    paths.map((path) => {
      const { ino, mtimeNs, ctimeNs } = lstatSync(join(target, path), { bigint: true });
      return [path, { ino, mtimeNs, ctimeNs }];
    }),
  );
}

function hideTime(name: string): string {
  return name.replace(/^\.\.\d{4}(_\d\d){5}\.\w{6}$/, '<dir>');
}

function viewTree(target: string, path: string): [string, string][] {
  const full = join(target, path);
  const stat = statSync(full, { throwIfNoEntry: false });
  if (stat?.isDirectory()) {
    return readdirSync(full).flatMap((name) => viewTree(target, `${path}/${name}`));
  }
  return stat === undefined ? [] : [[path, describe(stat.mode & 0o7777, readFileSync(full))]];
}

function describe(mode: number, bytes: Uint8Array): string {
  return `${mode.toString(8)} ${Buffer.from(bytes).toString('hex')}`;
}
