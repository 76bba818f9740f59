/**
 * An error that a monitor in this process does not catch would have ended a monitor that is a process. Here it ends the
 * instance it came from; where that cannot be told (a promise that nobody awaits) every instance that lives.
 */

export interface Mortal {
  crash(error: unknown): void;
}

const living = new Set<Mortal>();

const ours = (error: unknown): boolean => error instanceof Error && /[\\/]reference[\\/]/.test(error.stack ?? '');

function onUncaught(error: unknown): void {
  // What does not come from the reference is a defect of this program, and must not be taken for one of a target.
  if (!ours(error) || living.size === 0) throw error;
  for (const mortal of [...living]) mortal.crash(error);
}

export function born(mortal: Mortal): void {
  if (living.size === 0) {
    process.on('uncaughtException', onUncaught);
    process.on('unhandledRejection', onUncaught);
  }
  living.add(mortal);
}

export function died(mortal: Mortal): void {
  if (!living.delete(mortal) || living.size > 0) return;
  process.off('uncaughtException', onUncaught);
  process.off('unhandledRejection', onUncaught);
}
