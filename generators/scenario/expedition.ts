/**
 * Short ways to places that walks seldom come to: second migrations, migrations of a destination that has taken over,
 * addresses that cannot be used, cancels in the last moments, failovers of either side. The tape says which way, and what is
 * tried at its end.
 */
import type { Dialect } from '../../reference/dialects/dialect.js';
import { channelUri, fedMemory, imageOf, type Scenario, scenarioVersion } from '../../targets/scenario.js';
import { slow, switched } from './postcopy.js';
import { Tape } from './tape.js';
import { badUri, placeToListen } from './values.js';
import { terminal, Writer } from './writer.js';

/** What `exec:` starts here reads all and answers nothing, or ends at once. */
const programs = ['exec:cat >/dev/null', 'exec:true', 'exec:false'];

/** Any address: a peer of ours that answers, a program, or nothing that works. */
function anyUri(w: Writer): string {
  return w.tape.weighted<() => string>([
    [3, () => badUri(w.tape)],
    [3, () => w.tape.pick(programs)],
    [2, () => channelUri(w.peer('answer'))],
  ])();
}

function source(w: Writer, options: Parameters<Writer['start']>[1] = {}): void {
  w.start('source', options);
  w.capabilities('source', 'events');
}

/** A migration that has ended is followed by another one. */
function again(w: Writer): void {
  source(w, w.tape.chance(30) ? { paused: true } : {});
  for (let left = 2 + w.tape.number(2); left > 0; left--) {
    w.command('migrate', { uri: anyUri(w) });
    w.settle();
    if (w.tape.chance(60)) w.command('cont');
  }
}

/** A destination that has taken over is a source like any other. */
function takenOver(w: Writer): void {
  const { tape } = w;
  source(w, tape.pick([{}, { paused: true }]));
  w.start('destination', { incoming: 'defer', ...tape.pick([{}, { paused: true }]) });
  w.capabilities('destination', 'events');
  // A guest that was migrated before comes as `postmigrate`.
  if (tape.chance(30)) {
    w.command('migrate', { uri: channelUri(w.peer('answer')) });
    w.settle();
  } else if (tape.chance(40)) w.command('stop');
  w.command('migrate-incoming', { uri: channelUri('pair') }, 'destination');
  w.command('migrate', { uri: channelUri('pair') });
  w.settle();
  w.status(['completed', 'failed'], 'destination', 'likely');
  w.command('query-status', undefined, 'destination');
  w.command('query-migrate', undefined, 'destination');
  for (let left = 1 + tape.number(3); left > 0; left--) {
    w.command('migrate', { uri: anyUri(w) }, 'destination');
    w.settle('destination');
    if (tape.chance(50)) w.command(tape.pick(['cont', 'stop', 'migrate_cancel']), undefined, 'destination');
  }
}

/** Addresses that a destination cannot listen at, then a good one, and whether it is refused as the second. */
function hardOfHearing(w: Writer): void {
  const { tape } = w;
  w.start('destination', { incoming: 'defer', memory: fedMemory });
  w.capabilities('destination', 'events');
  for (let left = 1 + tape.number(3); left > 0; left--) {
    w.command('migrate-incoming', { uri: tape.chance(60) ? '' : placeToListen(tape) }, 'destination');
    w.command('query-migrate', undefined, 'destination');
  }
  w.command('stop', undefined, 'destination');
  w.command('migrate-incoming', { uri: channelUri('fed') }, 'destination');
  w.command('migrate-incoming', { uri: channelUri('fed') }, 'destination');
  w.command(tape.pick(['stop', 'cont']), undefined, 'destination');
  w.steps.push({ do: 'feed', channel: 'fed', parts: tape.pick([['header'], ['header', 'garbage'], ['garbage']]) });
  w.noises(2, 'destination');
  w.steps.push({ do: 'cut', channel: 'fed' });
  w.status(['failed'], 'destination');
}

/** The end of a migration is held up by a peer that does not answer, and cancelled there. */
function lastMoment(w: Writer): void {
  const { tape } = w;
  source(w);
  const pausing = tape.chance(60);
  const path = tape.chance(80);
  w.capabilities('source', ...(pausing ? ['pause-before-switchover'] : []), ...(path ? ['return-path'] : []));
  const channel = w.peer('silent');
  w.command('migrate', { uri: channelUri(channel) });
  if (pausing) {
    w.status(['pre-switchover', ...terminal], 'source', 'likely');
    if (tape.chance(25)) w.steps.push({ do: 'cut', channel });
    w.command('migrate-continue', { state: 'pre-switchover' });
  } else w.status([...terminal, 'device']);
  if (path) w.status([...terminal, 'device']);
  w.command(tape.pick(['migrate_cancel', 'stop', 'cont', 'query-migrate']));
  if (tape.chance(40)) w.command('migrate_cancel');
  const message = tape.pick(['shut', 'shut-error', 'unknown', 'pong'] as const);
  if (tape.chance(40)) w.steps.push({ do: 'message', channel, message });
  w.settle();
  w.command('query-migrate');
}

/** A migration is cancelled at its very beginning: with it in one write, or in front of a peer that reads nothing yet. */
function firstMoment(w: Writer): void {
  const { tape } = w;
  source(w, { ramImage: imageOf(1) });
  const channel = w.peer(tape.pick(['stall', 'full', 'answer', 'cut']), 1);
  const commands = [
    { execute: 'migrate', arguments: { uri: channelUri(channel) } },
    ...Array.from({ length: 1 + tape.number(3) }, () => ({
      execute: tape.pick(['migrate_cancel', 'query-migrate', 'stop']),
    })),
  ];
  w.steps.push({ do: 'pipeline', at: 'source', commands });
  if (tape.chance(50)) w.command('migrate_cancel');
  if (tape.chance(40)) w.command('migrate', { uri: anyUri(w) });
  w.steps.push({ do: 'release', channel });
  w.settle();
}

/** A paused postcopy is resumed by way of addresses that cannot be used, then of a good one. */
function wrongWayBack(w: Writer): void {
  const { tape } = w;
  source(w, { ramImage: imageOf(1) });
  w.capabilities('source', 'postcopy-ram');
  w.parameters('source', slow);
  const channel = w.peer('answer');
  const commands = [
    { execute: 'migrate', arguments: { uri: channelUri(channel) } },
    { execute: 'migrate-start-postcopy' },
  ];
  w.steps.push({ do: 'pipeline', at: 'source', commands });
  w.status(switched, 'source', 'likely');
  w.urgent('migrate-pause');
  w.status(['postcopy-paused', ...terminal], 'source', 'likely');
  for (let left = 1 + tape.number(3); left > 0; left--) {
    const uri = tape.pick(['', 'qmpspec:nothing', 'tcp:127.0.0.1', 'fd:qmpspec-none', channelUri('none')]);
    w.command('migrate', { uri, resume: true });
    if (tape.chance(40)) w.command('migrate', { uri: channelUri(channel) });
    w.command('query-migrate');
  }
  const link = w.peer(tape.pick(['answer', 'silent', 'cut']), 8);
  w.command('migrate', { uri: channelUri(link), resume: true });
  w.status(['postcopy-active', 'postcopy-paused', ...terminal]);
  if (tape.chance(50))
    w.steps.push({ do: 'message', channel: link, message: tape.pick(['bad-ack', 'resume-ack', 'shut-error']) });
  w.status(['postcopy-active', 'postcopy-paused', ...terminal]);
}

/** Failovers of a secondary and of a primary, before and after the first checkpoint, asked for twice. */
function failover(w: Writer): void {
  const { tape } = w;
  source(w);
  w.start('destination', { incoming: 'defer' });
  w.capabilities('destination', 'events', 'x-colo');
  w.capabilities('source', 'x-colo');
  w.parameters('source', { 'x-checkpoint-delay': tape.pick([10, 100, 20000]) });
  w.command('migrate-incoming', { uri: channelUri('pair') }, 'destination');
  const link = tape.chance(60) ? w.relay('pair', 'pass') : 'pair';
  w.command('migrate', { uri: channelUri(link) });
  w.status(['colo', 'failed'], 'source', 'likely');
  w.status(['colo', 'failed', 'completed'], 'destination');
  if (link !== 'pair' && tape.chance(50)) w.steps.push({ do: 'cut', channel: link });
  const at = tape.pick(['source', 'destination']);
  const lost = { execute: 'x-colo-lost-heartbeat' };
  const other = tape.pick(['x-colo-lost-heartbeat', 'migrate_cancel', 'migrate', 'query-migrate']);
  const commands = [
    lost,
    other === 'migrate' ? { execute: other, arguments: { uri: channelUri('none') } } : { execute: other },
  ];
  w.steps.push({ do: 'pipeline', at, commands }, { do: 'fence', at });
  w.status(['completed', 'failed'], at);
  w.command('query-status', undefined, at);
}

/** What a connection is asked that has been asked before, and what only a new one may be. */
function manners(w: Writer): void {
  const { tape } = w;
  w.start('source');
  for (let left = 1 + tape.number(3); left > 0; left--) {
    if (tape.chance(60))
      w.command('qmp_capabilities', tape.chance(30) ? { enable: tape.pick([[], ['oob']]) } : undefined);
    else if (tape.chance(50)) w.connect('source');
    w.noises(2);
  }
  w.steps.push({ do: 'fence', at: 'source' });
}

const ways = [manners, again, takenOver, hardOfHearing, lastMoment, firstMoment, wrongWayBack, failover];

/** The scenario that a tape stands for. */
export function expedition(decisions: readonly number[], dialect: Dialect): Scenario {
  const writer = new Writer(new Tape(decisions), dialect);
  const known = ways.filter((way) => way !== failover || dialect.migration.capabilities.includes('x-colo'));
  writer.tape.pick(known)(writer);
  return { scenario: scenarioVersion, steps: writer.steps };
}
