import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, glob, mkdir, readdir, readFile, readlink, rename, rm, symlink } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import path from 'node:path';
import { runCommand } from './command.ts';
import { BIN } from './layout.ts';
import type { GoModule } from './programs.ts';
import { GO_MODULES } from './programs.ts';
import { progress } from './progress.ts';

const GO_ENV = { CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false', GOWORK: 'off' };

/** Builds what has changed since it was last built; `BIN` then holds every program by its usual name. */
export async function buildPrograms(): Promise<void> {
  await mkdir(BIN, { recursive: true });
  for (const module of GO_MODULES) {
    await buildModule(module);
  }
}

async function buildModule(module: GoModule): Promise<void> {
  const source = path.join(import.meta.dirname, module.name);
  const folder = `${module.name}-${await fingerprint(module, source)}`;
  const entries = await readdir(BIN);
  if (!entries.includes(folder)) {
    const started = performance.now();
    progress(`building ${module.name} (about ${module.coldMinutes} min the first time)`);
    // Built aside and moved into place, so that an interrupted build leaves nothing that looks finished.
    const unfinished = path.join(BIN, `.unfinished-${module.name}`);
    await rm(unfinished, { recursive: true, force: true });
    for (const [name, goPackage] of Object.entries(module.packages)) {
      await compile(module, source, goPackage, path.join(unfinished, name));
    }
    if (module.copy !== undefined) {
      const from = await runCommand('go', ['list', '-m', '-f', '{{.Dir}}', module.copy.module], {
        cwd: source,
        env: GO_ENV,
      });
      await cp(path.join(from.trim(), module.copy.folder), path.join(unfinished, module.copy.folder), {
        recursive: true,
      });
    }
    await rename(unfinished, path.join(BIN, folder));
    progress(`built ${module.name} in ${((performance.now() - started) / 60_000).toFixed(1)} min`);
  }
  for (const old of entries.filter(
    (name) => name !== folder && new RegExp(`^${module.name}-[0-9a-f]{12}$`).test(name),
  )) {
    await rm(path.join(BIN, old), { recursive: true });
  }
  await link(module, folder);
}

/** Changes whenever the result of the build would. */
async function fingerprint(module: GoModule, source: string): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([module, GO_ENV]));
  const files: string[] = [];
  for await (const file of glob('**/{go.mod,go.sum,*.go}', { cwd: source })) {
    files.push(file);
  }
  for (const file of files.toSorted()) {
    hash.update(file).update(await readFile(path.join(source, file)));
  }
  return hash.digest('hex').slice(0, 12);
}

async function compile(module: GoModule, source: string, goPackage: string, output: string): Promise<void> {
  const args = ['build', '-v', '-trimpath', '-ldflags', `-s -w ${module.ldflags ?? ''}`, '-o', output];
  const tags = module.tags === undefined ? [] : ['-tags', module.tags];
  const go = spawn('go', [...args, ...tags, goPackage], {
    cwd: source,
    env: { ...process.env, ...GO_ENV },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  // With -v Go names each package it compiles; anything else it prints is an error to show.
  let compiled = 0;
  const errors: string[] = [];
  createInterface(go.stderr).on('line', (line) => {
    if (/^[\w./~-]+$/.test(line)) {
      compiled += 1;
    } else if (!line.startsWith('go: downloading')) {
      errors.push(line);
    }
  });
  const ticker = setInterval(() => progress(`  ${module.name}: ${compiled} packages compiled`), 30_000);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  go.on('error', reject);
  go.on('close', (code) => {
    if (code === 0) {
      resolve();
    } else {
      reject(new Error(`go build ${goPackage} in ${source} failed:\n${errors.slice(-30).join('\n')}`));
    }
  });
  await promise.finally(() => clearInterval(ticker));
}

async function link(module: GoModule, folder: string): Promise<void> {
  const names = [...Object.keys(module.packages), ...(module.copy === undefined ? [] : [module.copy.folder])];
  const links = new Map(names.map((name) => [name, path.join(folder, name)]));
  for (const alias of module.calledAs ?? []) {
    links.set(alias, path.join(folder, names[0] ?? ''));
  }
  for (const [name, target] of links) {
    const place = path.join(BIN, name);
    if ((await readlink(place).catch(() => '')) !== target) {
      await rm(place, { force: true });
      await symlink(target, place);
    }
  }
}
