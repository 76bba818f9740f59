// Making one file of a program, and keeping what V8 makes of that file: loading hundreds of modules one by one, and compiling
// them, is most of what a start costs. load-bundle.mjs runs what comes of it.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import { build } from 'esbuild';

const dist = join(import.meta.dirname, '..', 'dist');

/** Each module goes on seeing its own address, by which it finds what lies beside it. */
const addresses = (folder) => ({
  name: 'addresses',
  setup({ onLoad, onResolve }) {
    // The entry point of the monitor is a loader, too.
    onResolve({ filter: /\/reference\/monitor\/main\.js$/ }, () => ({ path: join(dist, 'reference/monitor/run.js') }));
    onLoad({ filter: /\.js$/ }, ({ path }) => {
      if (relative(dist, path).startsWith('..')) return undefined;
      const text = readFileSync(path, 'utf8');
      if (!text.includes('import.meta.url')) return undefined;
      const address = `new URL(${JSON.stringify(relative(folder, path))}, qmpspecUrl).href`;
      return { contents: text.replaceAll('import.meta.url', address), loader: 'js' };
    });
  },
});

const beyondAscii = /[^\0-\x7f]/g;
const escaped = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Makes FOLDER/bundle.cjs of ENTRY, a module in that folder. */
export async function makeBundle(folder, entry) {
  const bundle = join(folder, 'bundle.cjs');
  rmSync(join(folder, 'bundle.cache'), { force: true });
  await build({
    entryPoints: [join(folder, entry)],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    logLevel: 'warning',
    // Mocha's way of running files in several processes, which nobody asks it for.
    logOverride: { 'require-resolve-not-external': 'silent' },
    // Its other form asks for its parts by names that cannot be followed.
    alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
    // Brings a library of machine code, and may be absent.
    external: ['koffi'],
    // The loader calls the file as a function.
    banner: { js: '(function (exports, require, module, qmpspecUrl) {' },
    footer: { js: '})' },
    plugins: [addresses(folder)],
    supported: { 'dynamic-import': false },
  });
  // In ASCII it is read without decoding. What is left of other characters stands in comments and regular expressions.
  const ascii = readFileSync(bundle, 'utf8')
    .split('\n')
    .map((line) =>
      /^\s*(\/?\*|\/\/)/.test(line) ? line.replace(beyondAscii, '?') : line.replace(beyondAscii, escaped),
    )
    .join('\n');
  writeFileSync(bundle, ascii);
}

/** Makes MAIN, the file that is run, of a loader in this folder. */
export async function makeLoader(name, main) {
  await build({
    entryPoints: [join(import.meta.dirname, name)],
    outfile: main,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
    external: ['./process.js', '../reference/*'],
  });
  rmSync(`${main}.map`, { force: true });
}

/** Keeps what V8 makes of all functions of FOLDER/bundle.cjs, whether they are ever called or not. */
export function keepCompiled(folder) {
  // The cache is only taken under the flags that it says; by then these are the usual ones again.
  setFlagsFromString('--no-lazy');
  const script = new Script(readFileSync(join(folder, 'bundle.cjs'), 'latin1'), { filename: 'bundle.cjs' });
  setFlagsFromString('--lazy');
  writeFileSync(join(folder, 'bundle.cache'), script.createCachedData());
}
