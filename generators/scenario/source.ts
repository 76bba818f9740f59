/** Episodes of a source whose peers are ours: they stall, break, answer or are not there. */
import { channelUri } from '../../targets/scenario.js';
import { fromTable } from './tape.js';
import { badUri } from './values.js';
import { weights } from './weights.js';
import { terminal, type Writer } from './writer.js';

/** An episode; false when the source may be left in a state from which no other one can begin. */
export type Episode = (w: Writer) => boolean;

export const idle: Episode = (w) => {
  w.noises(5);
  if (w.tape.chance(40)) w.command('migrate_cancel');
  if (w.tape.chance(30)) w.command('cont');
  return true;
};

/** A migration that ends before it begins. */
export const refused: Episode = (w) => {
  w.command('migrate', { uri: badUri(w.tape) });
  w.settle();
  w.noises(2);
  return true;
};

/** A migration to a peer that reads everything and answers, well or not. */
export const plain: Episode = (w) => {
  const { tape } = w;
  if (w.chance('returnPath')) w.capabilities('source', 'return-path');
  const behaviour = tape.pick(['answer', 'answer', 'error', 'cut'] as const);
  const channel = w.peer(behaviour, behaviour === 'cut' ? tape.pick([1, 100, 5000, 100_000]) : undefined);
  w.command('migrate', { uri: channelUri(channel) });
  race(w);
  return wayOut(w, channel);
};

/** A migration that a peer holds up, so that commands meet it there. */
export const held: Episode = (w) => {
  const hold = fromTable(w.tape, weights.held);
  if (hold === 'silent') w.capabilities('source', 'return-path');
  if (hold === 'pre-switchover') w.capabilities('source', 'pause-before-switchover');
  const channel = w.peer(hold === 'pre-switchover' ? 'answer' : hold);
  w.command('migrate', { uri: channelUri(channel) });
  const holds = {
    full: ['setup'],
    stall: ['active', 'completed', 'pre-switchover'],
    silent: ['active', 'device', 'pre-switchover'],
    'pre-switchover': ['pre-switchover'],
  };
  if (w.chance('awaitsTheHold')) w.status([...holds[hold], 'failed']);
  w.noises(4);
  race(w);
  return wayOut(w, channel);
};

/** A source whose secondary is ours: it is ready, and answers no checkpoint. */
export const colo: Episode = (w) => {
  const { tape } = w;
  w.capabilities('source', 'x-colo');
  w.parameters('source', { 'x-checkpoint-delay': tape.pick([1, 100, 20000]) });
  const channel = w.peer('answer');
  w.command('migrate', { uri: channelUri(channel) });
  w.status(['colo', 'failed', 'pre-switchover', 'none'], 'source', 'likely');
  w.noises(2);
  if (tape.chance(70)) w.steps.push({ do: 'message', channel, message: 'ready' });
  for (let left = tape.number(5); left > 0; left--) {
    const move = fromTable(tape, weights.colo);
    if (move === 'checkpoint') w.parameters('source', { 'x-checkpoint-delay': tape.pick([1, 50]) });
    else if (move === 'heartbeat') w.command('x-colo-lost-heartbeat');
    else if (move === 'cut') w.steps.push({ do: 'cut', channel });
    else if (move === 'cancel') w.command('migrate_cancel');
    else w.noise();
  }
  return false;
};

/** What may be tried while a migration is on its way. */
function race(w: Writer): void {
  const { tape } = w;
  if (tape.chance(35)) w.command('migrate_cancel');
  if (tape.chance(15)) w.command('stop');
  if (tape.chance(10)) w.command('migrate', { uri: badUri(tape) });
  w.noises(2);
}

/** Lets every held migration come to an end, whatever it is in. */
function wayOut(w: Writer, channel: string): boolean {
  const out = fromTable(w.tape, weights.wayOut);
  if (out === 'cancel') w.command('migrate_cancel');
  w.steps.push(out === 'cut' ? { do: 'cut', channel } : { do: 'release', channel });
  // A switch-over that is held goes on in the end, if it is not cancelled by then.
  w.status([...terminal, 'pre-switchover', 'cancelling'], 'source', 'likely');
  w.command('migrate-continue', { state: 'pre-switchover' });
  w.settle();
  w.command('query-migrate');
  if (w.chance('contAfterwards')) w.command('cont');
  return true;
}
