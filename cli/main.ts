#!/usr/bin/env node
/** Entry point from source; `npm run build` puts scripts/cli-loader.mjs in its place. */
const args = process.argv.slice(2);
// The reference monitor is started hundreds of times in a run: nothing but itself is loaded. It ends the process itself.
if (args[0] === 'monitor') await (await import('../reference/monitor/main.js')).runMonitor(args.slice(1));
else await (await import('./process.js')).runProgram(args);
