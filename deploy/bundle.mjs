// Makes dist/: the program, a file that it loads only for a kubeconfig, and the protocols: all that an image needs beside Node itself.
import { cpSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
await build({
  entryPoints: {
    'aws-secrets-csi': join(root, 'src', 'main.ts'),
    kubeconfig: join(root, 'src', 'kube', 'kubeconfig.ts'),
  },
  outdir: dist,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  target: 'node24',
  // CommonJS: Node keeps the source of an ES module three times over in memory.
  format: 'cjs',
  // Without white space the source weighs a third less in memory; names stay, for stacks.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'external',
  define: { 'import.meta.dirname': '__dirname' },
  logLevel: 'warning',
  plugins: [
    {
      // Source that is only read, never run, costs memory too: 6 MiB of the idle daemon's 38.
      name: 'kubeconfig in a file of its own',
      setup(plugin) {
        plugin.onResolve({ filter: /\/kubeconfig\.ts$/ }, ({ kind }) =>
          kind === 'dynamic-import' ? { path: './kubeconfig.cjs', external: true } : undefined,
        );
      },
    },
  ],
});
cpSync(join(root, 'proto'), join(dist, 'proto'), { recursive: true });
for (const name of ['aws-secrets-csi.cjs', 'kubeconfig.cjs']) {
  process.stdout.write(`dist/${name}: ${(statSync(join(dist, name)).size / 2 ** 20).toFixed(1)} MiB\n`);
}
