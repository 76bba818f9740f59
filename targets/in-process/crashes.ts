/**
 * An error that a monitor in this process does not catch would have ended a monitor that is a process. Here it ends the
 * instance it came from; where that cannot be told (a promise that nobody awaits) every instance that lives.
 */

export interface Mortal {
  crash(error: unknown): void;
}

const living = new Set<Mortal>();
let listening = false;

const ours = (error: unknown): boolean => error instanceof Error && /[\\/]reference[\\/]/.test(error.stack ?? '');

function onUncaught(error: unknown): void {
  // What does not come from the reference is a defect of this program, and must not be taken for one of a target.
  if (!ours(error) || living.size === 0) throw error;
  for (const mortal of [...living]) mortal.crash(error);
}

export function born(mortal: Mortal): void {
  living.add(mortal);
  if (listening) return;
  listening = true;
  process.on('uncaughtException', onUncaught);
  process.on('unhandledRejection', onUncaught);
}

export function died(mortal: Mortal): void {
  // In a simulation the next one is born at once.
  if (living.delete(mortal) && living.size === 0) setImmediate(rest);
}

function rest(): void {
  if (living.size > 0 || !listening) return;
  listening = false;
  process.off('uncaughtException', onUncaught);
  process.off('unhandledRejection', onUncaught);
}
