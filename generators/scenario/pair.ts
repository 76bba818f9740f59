/** Two instances of the target: precopy, postcopy and COLO between them, directly or through a relay of ours. */
import { channelUri, imageOf } from '../../targets/scenario.js';
import { begin, capabilities, fast, inVain, slow, switched } from './postcopy.js';
import { fromTable } from './tape.js';
import { placeToListen } from './values.js';
import { weights } from './weights.js';
import { terminal, type Writer } from './writer.js';

/** The channel that the destination listens on. */
const landing = 'pair';

export function pair(w: Writer): void {
  const { tape } = w;
  const kind = fromTable(tape, weights.pair);
  const image = kind === 'postcopy' || w.chance('image') ? { ramImage: imageOf(1) } : {};
  const paused = () => (w.chance('paused') ? { paused: true } : {});
  const fromTheStart = kind === 'precopy' && w.chance('listensFromTheStart');
  w.start('source', { ...image, ...paused() });
  w.start('destination', { incoming: fromTheStart ? channelUri(landing) : 'defer', ...paused() });
  for (const at of ['source', 'destination']) if (w.chance('events')) w.capabilities(at, 'events');
  if (!fromTheStart && tape.chance(30)) {
    w.command('migrate-incoming', { uri: tape.pick(['defer', 'qmpspec:nothing', '']) }, 'destination');
  }
  const on = kind === 'postcopy' ? capabilities(w) : kind === 'colo' ? ['x-colo'] : [];
  w.capabilities('source', ...on);
  if (!fromTheStart) {
    w.capabilities('destination', ...on.filter((name) => name === 'postcopy-ram' || name === 'x-colo'));
    waiting(w);
    w.command('migrate-incoming', { uri: channelUri(landing) }, 'destination');
  }
  waiting(w);
  const relay = fromTable(tape, weights.relay);
  const link =
    relay === 'none'
      ? landing
      : w.relay(landing, relay, relay === 'cut' ? tape.number(100_000) : 1 + tape.number(5000));
  if (kind === 'precopy') precopy(w, link);
  else if (kind === 'postcopy') postcopy(w, link);
  else colo(w, link);
}

/** Commands to a destination that waits or loads. */
function waiting(w: Writer): void {
  const { tape } = w;
  for (let left = tape.number(3); left > 0; left--) {
    tape.weighted<() => void>([
      [3, () => w.noise('destination')],
      [1, () => w.command('cont', undefined, 'destination')],
      [1, () => w.command('migrate_cancel', undefined, 'destination')],
      [1, () => w.command('migrate', { uri: channelUri('none') }, 'destination')],
    ])();
  }
}

function precopy(w: Writer, link: string): void {
  const { tape } = w;
  if (w.chance('returnPath')) w.capabilities('source', 'return-path');
  if (w.chance('pauseBeforeSwitchover')) w.capabilities('source', 'pause-before-switchover');
  w.command('migrate', { uri: channelUri(link) });
  if (tape.chance(40)) waiting(w);
  if (link !== landing && tape.chance(40)) interfere(w, link);
  if (tape.chance(25)) w.noise();
  w.status([...terminal, 'pre-switchover'], 'source', 'likely');
  w.command('migrate-continue', { state: 'pre-switchover' });
  if (link !== landing) w.steps.push({ do: 'release', channel: link });
  w.settle();
  w.status(['completed', 'failed'], 'destination');
  w.noises(3, 'destination');
  w.noises(2);
}

/** Something else happens to the channel while the stream is on its way. */
function interfere(w: Writer, link: string): void {
  const { tape } = w;
  const behaviour = tape.pick(['stall', 'slow', 'slice', 'cut', 'pass'] as const);
  w.steps.push({ do: 'relay', channel: link, to: landing, behaviour, bytes: 1 + tape.number(20_000) });
  w.noises(2);
  if (behaviour === 'stall' && tape.chance(60)) w.steps.push({ do: 'release', channel: link });
}

function postcopy(w: Writer, link: string): void {
  const { tape } = w;
  w.parameters('source', slow);
  begin(w, channelUri(link));
  w.status(switched, 'source', 'likely');
  w.command('migrate-continue', { state: 'pre-switchover' });
  if (w.chance('awaitsTheHold')) w.status(['postcopy-active', 'postcopy-paused', ...terminal], 'destination');
  let channel = link;
  for (let left = 1 + tape.number(6); left > 0; left--) {
    const move = fromTable(tape, weights.postcopyPair);
    if (move === 'pause') w.urgent('migrate-pause');
    else if (move === 'pause-destination') w.urgent('migrate-pause', undefined, 'destination');
    else if (move === 'cut' && channel !== landing) w.steps.push({ do: 'cut', channel });
    else if (move === 'cancel') w.command('migrate_cancel');
    else if (move === 'kill') {
      kill(w, tape.pick(['source', 'destination']));
      return;
    } else if (move === 'recover-wrongly') wrongly(w);
    else if (move === 'recover') channel = recover(w);
    else w.noise(tape.pick(['source', 'destination']));
  }
  w.parameters('source', fast);
  w.status([...terminal, 'postcopy-paused', 'postcopy-recover'], 'source', 'likely');
  w.status(['completed', 'failed', 'postcopy-paused', 'postcopy-recover'], 'destination');
  w.noises(2, 'destination');
  w.noises(1);
}

/** A channel for a recovery, and the recovery on it. */
function recover(w: Writer): string {
  const { tape } = w;
  for (const at of ['source', 'destination']) if (tape.chance(80)) w.status(['postcopy-paused'], at);
  const again = w.channel();
  w.urgent('migrate-recover', { uri: channelUri(again) }, 'destination');
  const link = tape.chance(40) ? w.relay(again, 'pass') : again;
  w.command('migrate', { uri: channelUri(link), resume: true });
  if (tape.chance(70)) {
    w.status(['postcopy-active', 'postcopy-recover', ...terminal]);
    w.status(['postcopy-active', 'postcopy-recover', 'completed'], 'destination');
  }
  return link === again ? landing : link;
}

function wrongly(w: Writer): void {
  if (w.tape.chance(50)) w.urgent('migrate-recover', { uri: placeToListen(w.tape) }, 'destination');
  else inVain(w);
}

function kill(w: Writer, at: 'source' | 'destination'): void {
  const other = at === 'source' ? 'destination' : 'source';
  w.steps.push({ do: 'kill', at });
  w.status(['postcopy-paused', ...terminal], other);
  w.noises(3, other);
}

function colo(w: Writer, link: string): void {
  const { tape } = w;
  w.parameters('source', { 'x-checkpoint-delay': tape.pick([10, 100, 20000]) });
  w.command('migrate', { uri: channelUri(link) });
  w.status(['colo', ...terminal.slice(1)], 'source', 'likely');
  w.status(['colo', 'completed', 'failed'], 'destination');
  for (let left = 1 + tape.number(5); left > 0; left--) {
    const move = fromTable(tape, weights.colo);
    if (move === 'checkpoint') w.parameters('source', { 'x-checkpoint-delay': tape.pick([1, 50]) });
    else if (move === 'heartbeat') w.command('x-colo-lost-heartbeat');
    else if (move === 'heartbeat-destination') w.command('x-colo-lost-heartbeat', undefined, 'destination');
    else if (move === 'cut' && link !== landing) w.steps.push({ do: 'cut', channel: link });
    else if (move === 'cancel') w.command('migrate_cancel', undefined, tape.pick(['source', 'destination']));
    else if (move === 'kill') {
      kill(w, tape.pick(['source', 'destination']));
      return;
    } else w.noise(tape.pick(['source', 'destination']));
  }
}
