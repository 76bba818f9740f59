/** Tests that need a real QEMU skip without one, and say so; with QMPSPEC_REQUIRE_QEMU=1 they fail instead. */
import { spawnSync } from 'node:child_process';
import type { Context } from 'mocha';
import { findProgram } from '../../targets/executable.js';

/** Path of a QEMU 7.2 or whatever is on PATH. */
export const realQemu = (context: Context, program = 'qemu-system-x86_64'): string => programOf(context, program);

/** Path of a program without which a test cannot be run. */
export function programOf(context: Context, program: string): string {
  try {
    return findProgram(program);
  } catch (error) {
    if (process.env.QMPSPEC_REQUIRE_QEMU === '1') throw error;
    console.log(`      skipped: ${(error as Error).message}`);
    return context.skip();
  }
}

const serving = new Map<string, boolean>();

/** Whether a destination of this QEMU may have userfaultfd, without which it refuses postcopy-ram: that is up to the host. */
function servesFaults(program: string): boolean {
  const known = serving.get(program);
  if (known !== undefined) return known;
  const options = ['-M', 'none', '-nodefaults', '-display', 'none', '-m', '8M', '-incoming', 'defer', '-qmp', 'stdio'];
  const commands = [
    { execute: 'qmp_capabilities' },
    {
      execute: 'migrate-set-capabilities',
      arguments: { capabilities: [{ capability: 'postcopy-ram', state: true }] },
    },
    { execute: 'quit' },
  ];
  const input = commands.map((one) => `${JSON.stringify(one)}\n`).join('');
  const { stdout } = spawnSync(program, options, { input, encoding: 'utf8', timeout: 10_000 });
  const serves = !stdout.includes('Postcopy is not supported');
  serving.set(program, serves);
  return serves;
}

/** Skips what needs a postcopy destination where the host does not let QEMU be one, and says so. */
export function needPostcopy(context: Context, program: string): void {
  if (servesFaults(program)) return;
  console.log('      skipped: the host does not let QEMU have userfaultfd, which a postcopy destination needs');
  context.skip();
}
