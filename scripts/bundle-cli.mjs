// As bundle-monitor.mjs, for the program itself. Its runs are short and most of what they call they call a few times, so that
// compiling is no small part of them.
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { keepCompiled, makeBundle, makeLoader } from './bundling.mjs';

const folder = 'dist/cli';
await makeBundle(folder, 'process.js');
await makeLoader('cli-loader.mjs', join(folder, 'main.js'));
chmodSync(join(folder, 'main.js'), 0o755);
keepCompiled(folder);
