// The reference monitor is started hundreds of times in a run, and loading some 150 modules one by one is most of what a
// start costs. After tsc its entry point is replaced by a loader of one file that holds them all, and of what V8 makes of that
// file, so that it need not be compiled at each start; the modules stay for other users.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const folder = 'dist/reference/monitor';
const bundle = join(folder, 'bundle.cjs');
rmSync(join(folder, 'bundle.cache'), { force: true });
await build({
  entryPoints: [join(folder, 'run.js')],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  logLevel: 'warning',
  // Brings a library of machine code, and may be absent.
  external: ['koffi'],
  // The loader calls the file as a function.
  banner: { js: '(function (exports, require, module, qmpspecUrl) {' },
  footer: { js: '})' },
  define: { 'import.meta.url': 'qmpspecUrl' },
  supported: { 'dynamic-import': false },
});
// In ASCII it is read without decoding. What is left of other characters stands in comments.
const ascii = readFileSync(bundle, 'utf8')
  .split('\n')
  .map((line) => (/^\s*(\/?\*|\/\/)/.test(line) ? line.replace(/[^\t -~]/g, '?') : line))
  .join('\n');
if (/[^\t\n -~]/.test(ascii)) throw new Error(`${bundle} is not ASCII, as its loader takes it for`);
writeFileSync(bundle, ascii);
copyFileSync('scripts/monitor-loader.mjs', join(folder, 'main.js'));
chmodSync(join(folder, 'main.js'), 0o755);
rmSync(join(folder, 'main.js.map'), { force: true });
// The definitions are read from beside the module that reads them, which is this file now.
for (const name of readdirSync('reference/schema')) {
  if (name.endsWith('.qapi')) copyFileSync(join('reference/schema', name), join(folder, name));
}
execFileSync(process.execPath, ['scripts/cache-monitor.mjs'], { stdio: 'inherit' });
