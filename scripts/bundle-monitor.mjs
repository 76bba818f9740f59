// The reference monitor is started hundreds of times in a run, and loading some 150 modules one by one is most of what a
// start costs. After tsc its entry point is replaced by one file that holds them all; the modules stay for other users.
import { copyFileSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const folder = 'dist/reference/monitor';
const bundle = join(folder, 'main.bundle.js');
await build({
  entryPoints: [join(folder, 'main.js')],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  logLevel: 'warning',
  // Brings a library of machine code, and may be absent.
  external: ['koffi'],
  // What a dependency in CommonJS form asks for at run time.
  banner: {
    js: "import { createRequire as qmpspecRequire } from 'node:module'; const require = qmpspecRequire(import.meta.url);",
  },
});
renameSync(bundle, join(folder, 'main.js'));
// The definitions are read from beside the module that reads them, which is this file now.
for (const name of readdirSync('reference/schema')) {
  if (name.endsWith('.qapi')) copyFileSync(join('reference/schema', name), join(folder, name));
}
