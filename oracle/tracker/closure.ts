/**
 * What a process may put out next from a core on, executing at most one command on the way: worked out once for the core and
 * the command, since walks over the same states ask for it again and again.
 */
import { type Core, type Cores, type Execution, keyWith, type Move } from './core.js';
import type { Emission } from './emission.js';
import type { Tuning } from './tuning.js';

/** A way to something put out. */
export interface Front {
  /** The last move of it, which puts it out. */
  readonly move: Move;
  /** The execution of the command, if that is on the way, and the core in which it happened. */
  readonly executed: { readonly from: Core; readonly move: Move } | undefined;
}

export interface Closure {
  /** Ways, by what they put out first. */
  readonly ways: ReadonlyMap<Emission, readonly Front[]>;
  /** Another command could be executed on some way before anything is put out. */
  readonly goesOn: boolean;
}

/** Commands for which this is kept for a core. */
const mostCommands = 100;

/** @param execution the first command that waits, if one does: in band, on the first connection */
export function closure(cores: Cores, core: Core, execution: Execution | undefined, tuning: Tuning): Closure {
  const { memo } = core;
  memo.closures ??= new Map();
  const key = execution === undefined ? '' : keyWith(execution, tuning);
  let known = memo.closures.get(key);
  if (known === undefined) {
    known = closureOf(cores, core, execution, tuning);
    if (memo.closures.size >= mostCommands) memo.closures.clear();
    memo.closures.set(key, known);
  }
  return known;
}

function closureOf(cores: Cores, core: Core, execution: Execution | undefined, tuning: Tuning): Closure {
  const ways = new Map<Emission, Front[]>();
  const add = (move: Move, executed: Front['executed']) => {
    if (move.first === undefined) return;
    const same = ways.get(move.first);
    if (same === undefined) ways.set(move.first, [{ move, executed }]);
    else same.push({ move, executed });
  };
  const { calm, fronts } = cores.reach(core);
  for (const move of fronts) add(move, undefined);
  let goesOn = false;
  if (execution === undefined) return { ways, goesOn };
  for (const from of calm) {
    for (const move of cores.execute(from, execution, tuning)) {
      const executed = { from, move };
      if (move.first !== undefined) {
        add(move, executed);
        continue;
      }
      const beyond = cores.reach(move.to);
      for (const later of beyond.fronts) add(later, executed);
      goesOn ||= beyond.calm.some((one) => cores.mayExecute(one));
    }
  }
  return { ways, goesOn };
}
