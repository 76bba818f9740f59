// The reference monitor is started hundreds of times in a run. After tsc its entry point is replaced by a loader of one file;
// the modules stay for other users.
import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { makeBundle, makeLoader } from './bundling.mjs';

const folder = 'dist/reference/monitor';
await makeBundle(folder, 'run.js');
await makeLoader('monitor-loader.mjs', join(folder, 'main.js'));
chmodSync(join(folder, 'main.js'), 0o755);
execFileSync(process.execPath, ['scripts/cache-monitor.mjs'], { stdio: 'inherit' });
