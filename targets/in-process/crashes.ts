/**
 * An error that a monitor in this process does not catch would have ended a monitor that is a process. Here it ends the
 * instance it came from; where that cannot be told (a promise that nobody awaits) every instance that lives.
 */

export interface Mortal {
  crash(error: unknown): void;
}

/**
 * A list, for few live at a time and many come and go: a set's table that was given up leads to the next one, so that with one
 * of them in old memory all that ever lived since would survive until the next full collection.
 */
const living: Mortal[] = [];
let listening = false;

const ours = (error: unknown): boolean => error instanceof Error && /[\\/]reference[\\/]/.test(error.stack ?? '');

function onUncaught(error: unknown): void {
  // What does not come from the reference is a defect of this program, and must not be taken for one of a target.
  if (!ours(error) || living.length === 0) throw error;
  for (const mortal of [...living]) mortal.crash(error);
}

export function born(mortal: Mortal): void {
  living.push(mortal);
  if (listening) return;
  listening = true;
  process.on('uncaughtException', onUncaught);
  process.on('unhandledRejection', onUncaught);
}

export function died(mortal: Mortal): void {
  const at = living.indexOf(mortal);
  if (at < 0) return;
  living.splice(at, 1);
  // In a simulation the next one is born at once.
  if (living.length === 0) setImmediate(rest);
}

function rest(): void {
  if (living.length > 0 || !listening) return;
  listening = false;
  process.off('uncaughtException', onUncaught);
  process.off('unhandledRejection', onUncaught);
}
