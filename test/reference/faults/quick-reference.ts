/**
 * The reference monitor as a target, quick to start from the source tree, too: there each start loads and translates some
 * 150 modules, so they are made into one file first, as the build does it.
 */
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { qemuArguments } from '../../../targets/arguments.js';
import { ExecutableTarget, referenceTarget } from '../../../targets/executable.js';
import { freePort } from '../../../targets/free-port.js';
import type { Target } from '../../../targets/target.js';

export interface QuickReference {
  /** A target with these options of the monitor. */
  target(...args: string[]): Target;
  dispose(): void;
}

export async function quickReference(): Promise<QuickReference> {
  if (!import.meta.url.endsWith('.ts')) {
    return { target: (...args) => referenceTarget('reference', args), dispose: () => {} };
  }
  const folder = mkdtempSync(join(tmpdir(), 'qmpspec-'));
  const program = join(folder, 'monitor.mjs');
  const reference = fileURLToPath(new URL('../../../reference/', import.meta.url));
  await build({
    entryPoints: [join(reference, 'monitor/main.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  const schema = join(reference, 'schema');
  for (const name of readdirSync(schema)) {
    if (name.endsWith('.qapi')) copyFileSync(join(schema, name), join(folder, name));
  }
  const target = (...own: string[]): Target =>
    new ExecutableTarget(
      'reference',
      ['qmpspec monitor', ...own].join(' '),
      async (options, scratch) => {
        const { args, monitors } = await qemuArguments(options, scratch, freePort);
        return { command: process.execPath, args: [program, ...own, ...args], monitors };
      },
      {},
    );
  return { target, dispose: () => rmSync(folder, { recursive: true, force: true }) };
}
