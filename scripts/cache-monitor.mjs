// Usage: node scripts/cache-monitor.mjs: keeps what V8 has made of the built reference monitor, after a first conversation so
// that it includes what every start needs.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { runMonitor, script } from '../dist/reference/monitor/main.js';

const folder = mkdtempSync(join(tmpdir(), 'qmpspec-build-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'qmp');
await runMonitor(['-M', 'none', '-nodefaults', '-nographic', '-qmp', `unix:${path},server,nowait`]);
const socket = connect(path);
const lines = createInterface({ input: socket });
await once(lines, 'line');
for (const execute of ['qmp_capabilities', 'query-status', 'query-migrate', 'query-version']) {
  socket.write(`${JSON.stringify({ execute })}\n`);
  await once(lines, 'line');
}
writeFileSync('dist/reference/monitor/bundle.cache', script.createCachedData());
process.exit(0);
