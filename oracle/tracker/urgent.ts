/**
 * Steps that a monitor takes by itself, whatever its surroundings do. Silence is no permitted observation where one of them is
 * due; it is where only the peer, the guest or a client could bring the next step.
 */
import type { Core, Move } from './core.js';

const urgent = new Set([
  'reply',
  'stop-told',
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
export const isUrgent = (move: Move, from: Core): boolean => urgent.has(move.label) && !isBlocked(move, from);

/** Phases in which a peer that holds up a handshake holds up the cancel, too (MIG-SM-C02, -C03). */
const connecting: ReadonlySet<string> = new Set(['connecting', 'handshaking', 'streaming']);
const isBlocked = ({ label }: Move, { state }: Core): boolean =>
  label === 'thread-ended' && connecting.has(state.out.phase);
