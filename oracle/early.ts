/** Replies to what came ahead of the negotiation (qmp-protocol.md §3). */
import { isObject } from '../protocol/json.js';
import type { Observation } from './tracker/observation.js';
import { notNegotiated, type Sent } from './tracker/sent.js';
import type { Permitted } from './tracker/tracked-divergence.js';

/** What should have come instead; `undefined` when nothing is wrong, or the message was sent in command mode. */
export function insteadOfEarly(sent: Sent | undefined, seen: Observation): Permitted | undefined {
  if (sent?.kind !== 'refused' || sent.desc !== notNegotiated || seen.kind !== 'reply') return undefined;
  const { error } = seen.value;
  if (isObject(error) && error.class === 'CommandNotFound') return undefined;
  return { words: 'an error of class CommandNotFound before the negotiation', rows: ['QMP-NEG-01'] };
}
