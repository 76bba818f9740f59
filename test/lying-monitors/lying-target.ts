/** The target of a lie: the program liar.ts before a truthful monitor. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandTarget } from '../../targets/executable.js';
import type { Target } from '../../targets/target.js';

interface Bundler {
  buildSync(options: Record<string, unknown>): unknown;
}

let program: string | undefined;

/** Path of the liar as JavaScript: there are many of them to be started, and a loader costs half a second each time. */
function liar(): string {
  if (program !== undefined) return program;
  if (!import.meta.url.endsWith('.ts')) {
    program = fileURLToPath(new URL('./liar.js', import.meta.url));
    return program;
  }
  // The loader under which we run from source brings its bundler along.
  const require = createRequire(createRequire(import.meta.url).resolve('tsx'));
  const folder = mkdtempSync(join(tmpdir(), 'qmpspec-liar-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  program = join(folder, 'liar.mjs');
  (require('esbuild') as Bundler).buildSync({
    entryPoints: [fileURLToPath(new URL('./liar.ts', import.meta.url))],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
  });
  return program;
}

/** @param qemu program of a QEMU, the truthful monitor */
export const lyingTarget = (lie: string, qemu: string): Target =>
  commandTarget(
    lie,
    `${process.execPath} ${liar()} ${lie} {qmp-path} {scratch}/truth.sock ${qemu} -M none -nodefaults -display none ` +
      '-m {memory}M -qmp unix:{scratch}/truth.sock,server,nowait [-incoming {incoming}] [-name {paused} -S]',
    // A missing reply costs this once, and once more when the monitor is probed afterwards. What only varies may be slow.
    { deadline: lie.startsWith('vary-') ? 8000 : 1500, readiness: 20000 },
  );
