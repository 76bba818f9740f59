#!/usr/bin/env node
/**
 * The reference monitor as a program. It starts in the place of `qemu-system-x86_64 -M none`, so it loads as little as
 * possible before its sockets are open.
 */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runMonitor } from './run.js';

export { runMonitor } from './run.js';

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  await runMonitor(process.argv.slice(2));
