/** How V8 is to work for a run of a few seconds. */
import { setFlagsFromString } from 'node:v8';

/**
 * Bytes of bytecode that a function runs before V8 looks whether to optimise it. A run calls thousands of functions a few
 * hundred times each: at V8's own 132 kB it spends a fifth of all processor time on optimising what is hardly called again.
 */
const budget = 300_000;

/**
 * To be called before anything is run. Does nothing under versions of V8 for which this was not measured: those after Node
 * 20 have a cheaper compiler in between.
 */
export function expectShortRun(version = process.versions.v8): void {
  if (version.startsWith('11.')) setFlagsFromString(`--interrupt-budget=${budget}`);
}
