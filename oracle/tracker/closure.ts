/** What a process may put out next from a core on, executing at most one command on the way. */
import type { Core, Cores, Execution, Move } from './core.js';
import type { Emission } from './emission.js';
import type { Tuning } from './tuning.js';

/** A way to something put out. */
export interface Front {
  /** The last move of it, which puts it out. */
  readonly move: Move;
  /** The execution of the command, if that is on the way, and the core in which it happened. */
  readonly executed: { readonly from: Core; readonly move: Move } | undefined;
}

/**
 * Finds the ways to what is wanted. They are not kept: what comes again as a whole is known at its place, and what leads to
 * anything else would only be in memory.
 * @param execution the first command that waits, if one does: in band, on the first connection
 * @param wanted whether something put out first is of use
 * @param found takes the ways
 * @returns whether another command could be executed on some way before anything is put out
 */
export function frontsOf(
  cores: Cores,
  core: Core,
  execution: Execution | undefined,
  tuning: Tuning,
  wanted: (emission: Emission) => boolean,
  found: Front[],
): boolean {
  const add = (moves: readonly Move[], executed: Front['executed']) => {
    for (const move of moves) if (move.first !== undefined && wanted(move.first)) found.push({ move, executed });
  };
  const { calm, fronts } = cores.reach(core);
  add(fronts, undefined);
  if (execution === undefined) return false;
  let goesOn = false;
  for (const from of calm) {
    for (const move of cores.execute(from, execution, tuning)) {
      if (move.first !== undefined) {
        if (wanted(move.first)) found.push({ move, executed: { from, move } });
        continue;
      }
      const beyond = cores.reach(move.to);
      add(beyond.fronts, { from, move });
      goesOn ||= beyond.calm.some((one) => cores.mayExecute(one));
    }
  }
  return goesOn;
}
