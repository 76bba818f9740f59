/**
 * Steps that a monitor takes by itself, whatever its surroundings do. Silence is no permitted observation where one of them is
 * due; it is where only the peer, the guest or a client could bring the next step.
 */
import type { Move } from './core.js';

const urgent = new Set([
  'reply',
  'said',
  'exits',
  'guest-stopped',
  'held',
  'continued',
  'final-sync',
  'settled',
  'thread-ended',
  'guest-restored',
  'failover',
]);

/** A command that waits to be executed is urgent too; `Move.label` then begins with its name. */
export const isUrgent = (move: Move): boolean => urgent.has(move.label) && !blocked(move);

/** Cancelling a connect or a write that the peer holds up lasts as long as the peer wants (MIG-SM-C02, -C12). */
const blocked = (move: Move): boolean =>
  move.label === 'thread-ended' && move.rows.some((row) => row === 'MIG-SM-C03' || row === 'MIG-SM-C12');
