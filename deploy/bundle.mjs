// Makes dist/: the program, the files that it loads only where they are needed, and the protocols: all that an image needs beside Node itself.
import { cpSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
/** Imported by import() only: source that is read and never run still takes up memory. */
const onDemand = new Map(
  ['src/kube/kubeconfig.ts', 'src/aws/change-events/sqs-queue.ts', 'src/sync/pfx.ts'].map((file) => [
    basename(file, '.ts'),
    join(root, file),
  ]),
);

rmSync(dist, { recursive: true, force: true });
await build({
  entryPoints: {
    'aws-secrets-csi': join(root, 'src', 'main.ts'),
    ...Object.fromEntries(onDemand),
  },
  outdir: dist,
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  // esbuild drops the unused parts of an ES module, but bundles a CommonJS module whole.
  mainFields: ['module', 'main'],
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
      // Without these two hints esbuild keeps all of the generated API, and the HTTP client beneath it: 1.5 MiB.
      name: 'of the Kubernetes client only KubeConfig',
      setup(plugin) {
        plugin.onResolve({ filter: /^\.\.?\/.*\.js$/ }, ({ importer, path }) =>
          importer.includes('/@kubernetes/client-node/')
            ? { path: join(dirname(importer), path), sideEffects: false }
            : undefined,
        );
        plugin.onLoad({ filter: /\/node_modules\/undici\/index\.js$/ }, () => ({ contents: 'module.exports = {};' }));
      },
    },
    {
      name: 'files of their own',
      setup(plugin) {
        plugin.onResolve({ filter: /^\..*\.ts$/ }, ({ kind, path }) => {
          if (kind !== 'dynamic-import') {
            return undefined;
          }
          const name = basename(path, '.ts');
          return onDemand.has(name)
            ? { path: `./${name}.cjs`, external: true }
            : { errors: [{ text: `${path} is imported on demand: say so in bundle.mjs` }] };
        });
      },
    },
  ],
});
cpSync(join(root, 'proto'), join(dist, 'proto'), { recursive: true });
for (const name of ['aws-secrets-csi', ...onDemand.keys()]) {
  process.stdout.write(`dist/${name}.cjs: ${(statSync(join(dist, `${name}.cjs`)).size / 2 ** 20).toFixed(1)} MiB\n`);
}
