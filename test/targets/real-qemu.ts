/** Tests that need a real QEMU skip without one, and say so; with QMPSPEC_REQUIRE_QEMU=1 they fail instead. */
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
