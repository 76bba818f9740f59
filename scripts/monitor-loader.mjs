#!/usr/bin/env node
// The entry point of the built reference monitor, put in the place of main.js by bundle-monitor.mjs.
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadBundle } from './load-bundle.mjs';

const { script, exports } = loadBundle(import.meta.url);

/** For cache-monitor.mjs. */
export { script };

export const { runMonitor } = exports;

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  await runMonitor(process.argv.slice(2));
