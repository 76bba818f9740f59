#!/usr/bin/env node
// The entry point of the built program, put in the place of main.js by bundle-cli.mjs.
import { loadBundle } from './load-bundle.mjs';

const args = process.argv.slice(2);
if (args[0] === 'monitor') {
  const { runMonitor } = await import('../reference/monitor/main.js');
  await runMonitor(args.slice(1));
} else {
  // Coverage is wanted of the modules.
  const modules = process.env.NODE_V8_COVERAGE !== undefined;
  const { runProgram } = modules ? await import('./process.js') : loadBundle(import.meta.url).exports;
  await runProgram(args);
}
