#!/usr/bin/env node
// The entry point of the built reference monitor, put in the place of main.js by bundle-monitor.mjs: one file holds the whole
// program, and beside it lies what V8 made of it when it was built. Another version of V8 refuses that and compiles anew.
import { readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

const file = fileURLToPath(new URL('bundle.cjs', import.meta.url));

function cached() {
  try {
    return readFileSync(fileURLToPath(new URL('bundle.cache', import.meta.url)));
  } catch {
    return undefined;
  }
}

/** For cache-monitor.mjs. */
export const script = new Script(readFileSync(file, 'latin1'), { filename: file, cachedData: cached() });

let beyond;
function load(name) {
  // What Node brings along is asked for without the search for packages, which costs more.
  const own = process.getBuiltinModule(name);
  if (own !== undefined) return own;
  beyond ??= createRequire(file);
  return beyond(name);
}

const program = { exports: {} };
script.runInThisContext()(program.exports, load, program, import.meta.url);

export const { runMonitor } = program.exports;

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  await runMonitor(process.argv.slice(2));
