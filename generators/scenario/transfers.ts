/**
 * Transfers: whole migrations with each capability that changes what goes over the wire, to a peer of ours that reads along, and
 * to a second instance. A campaign begins with them, after its sweeps.
 */
import type { Dialect } from '../../reference/dialects/dialect.js';
import { channelUri, imageOf, type Scenario, scenarioVersion } from '../../targets/scenario.js';
import { fast, switched } from './postcopy.js';
import { Tape } from './tape.js';
import { Writer } from './writer.js';

interface Surroundings {
  readonly dialect: Dialect;
  /** The machine can have a guest that writes to its memory. */
  readonly guest?: boolean;
}

/** Capabilities of one migration. */
const sets: readonly (readonly string[])[] = [
  [],
  ['return-path'],
  ['xbzrle'],
  ['compress'],
  ['multifd'],
  ['postcopy-ram'],
  ['release-ram'],
  ['auto-converge'],
  ['zero-blocks'],
  ['pause-before-switchover'],
];

/** Names that a dialect gives them; `undefined` where it lacks one. */
function named(set: readonly string[], { migration }: Dialect): readonly string[] | undefined {
  const names = set.map((name) => (name === 'multifd' ? migration.multifd.capability : name));
  return names.every((name) => migration.capabilities.includes(name)) ? names : undefined;
}

const begin = (w: Writer, set: readonly string[], uri: string): void => {
  if (!set.includes('postcopy-ram')) {
    w.command('migrate', { uri });
    if (!set.includes('pause-before-switchover')) return;
    w.status(['pre-switchover', 'completed', 'failed'], 'source', 'likely');
    w.command('migrate-continue', { state: 'pre-switchover' });
    return;
  }
  const commands = [{ execute: 'migrate', arguments: { uri } }, { execute: 'migrate-start-postcopy' }];
  w.steps.push({ do: 'pipeline', at: 'source', commands });
  w.status(switched, 'source', 'likely');
};

/** To a peer that reads everything. */
function toPeer(w: Writer, set: readonly string[]): void {
  w.start('source', { ramImage: imageOf(1) });
  w.capabilities('source', 'events', ...set);
  begin(w, set, channelUri(w.peer('answer')));
  w.settle();
  w.command('query-migrate');
}

/** The UUID of a machine goes over its data channels. */
function withUuid(w: Writer, capability: string): void {
  w.start('source', { extra: ['-uuid', '12345678-9abc-4def-8123-456789abcdef'] });
  w.capabilities('source', capability);
  begin(w, [capability], channelUri(w.peer('answer')));
  w.settle();
}

/** Given up while its data channels are in use. */
function givenUp(w: Writer, capability: string): void {
  w.start('source', { ramImage: imageOf(1) });
  w.capabilities('source', capability);
  w.command('migrate-set-parameters', { 'max-bandwidth': 4096 });
  begin(w, [capability], channelUri(w.peer('answer')));
  w.status(['active', 'completed', 'failed'], 'source', 'likely');
  w.command('migrate_cancel');
  w.settle();
}

/** To an instance that takes the guest over. */
function toInstance(w: Writer, set: readonly string[]): void {
  w.start('source', { ramImage: imageOf(1) });
  w.start('destination', { incoming: 'defer' });
  for (const at of ['source', 'destination']) w.capabilities(at, 'events', ...set);
  w.command('migrate-incoming', { uri: channelUri('pair') }, 'destination');
  begin(w, set, channelUri('pair'));
  w.settle();
  w.command('query-migrate');
  w.status(['completed', 'failed'], 'destination', 'likely');
  w.command('query-migrate', undefined, 'destination');
  w.command('query-status', undefined, 'destination');
}

/** Looks at a migration that has to go slowly, before a first window of its speed has ended and before a second one has. */
function paced(w: Writer): void {
  w.start('source', { ramImage: imageOf(1) });
  const commands = [
    { execute: 'migrate-set-parameters', arguments: { 'max-bandwidth': 2 ** 17 } },
    { execute: 'migrate', arguments: { uri: channelUri(w.peer('answer')) } },
  ];
  w.steps.push({ do: 'pipeline', at: 'source', commands });
  for (const deadline of [60, 120]) w.steps.push({ do: 'status', at: 'source', is: ['completed', 'failed'], deadline });
  w.command('migrate_cancel');
  w.settle();
}

/**
 * A migration that is slow, and whose guest may stand for as long as all the rest takes: it goes over to the end once a first
 * window of its speed has ended, with most of its pages still to come.
 */
function beginsEnd(w: Writer, set: readonly string[], uri: string): void {
  const capabilities = set.map((capability) => ({ capability, state: true }));
  const commands = [
    ...(set.length === 0 ? [] : [{ execute: 'migrate-set-capabilities', arguments: { capabilities } }]),
    { execute: 'migrate-set-parameters', arguments: { 'max-bandwidth': 2 ** 17, 'downtime-limit': 2_000_000 } },
    { execute: 'migrate', arguments: { uri } },
  ];
  w.steps.push({ do: 'pipeline', at: 'source', commands });
}

/** Looked at before its end, where it can be held there, and after it. */
function endsEarly(w: Writer, set: readonly string[]): void {
  w.start('source', { ramImage: imageOf(1) });
  beginsEnd(w, set, channelUri(w.peer('answer')));
  w.status(['pre-switchover', 'completed', 'failed'], 'source', 'likely');
  w.command('query-migrate');
  if (set.includes('pause-before-switchover')) w.command('migrate-continue', { state: 'pre-switchover' });
  w.settle();
  w.command('query-migrate');
}

/** The same by way of a slow line, which the end waits for: the guest stands for longer than all that was before. */
function standsLong(w: Writer, set: readonly string[]): void {
  w.start('source');
  const peer = w.peer('answer');
  beginsEnd(w, ['events', ...set], channelUri(w.relay(peer, 'slow', 320)));
  w.status(['completed', 'failed'], 'source', 'likely');
  w.settle();
}

/** A guest that writes to some pages of its memory. */
const busy = (pattern: string, pages: number, from = 0) => ({
  extra: ['-guest', `rate=${pattern === 'noise' ? 2000 : 20_000},pages=${pages},from=${from},pattern=${pattern}`],
});

/** Milliseconds, in which a pass or a part of one goes by. */
const moment = 120;
const passes = (w: Writer): void => {
  w.steps.push({ do: 'status', at: 'source', is: ['completed', 'failed'], deadline: moment });
};

/**
 * Deltas of what a guest changes while it is sent, and of what is loaded once more at a reset, and is as it was; then all of its
 * memory again, whole, for whoever wants to know whether the deltas have made of it what it is.
 */
function inDeltas(w: Writer, pattern: string): void {
  w.start('source', { ramImage: imageOf(1), ...busy(pattern, 64, 2 ** 17) });
  w.capabilities('source', 'xbzrle');
  w.parameters('source', { 'max-bandwidth': 2 ** 19, 'downtime-limit': 1 });
  passes(w);
  w.command('migrate', { uri: channelUri(w.peer('answer')) });
  for (let left = 8; left > 0; left--) {
    passes(w);
    w.command('system_reset');
  }
  w.status(['completed', 'failed'], 'source', 'likely');
  w.command('stop');
  w.parameters('source', fast);
  w.settle();
  w.command('query-migrate');
  w.command('migrate', { uri: channelUri(w.peer('answer')) });
  w.settle();
}

/** Writes a second, and pages over which they are spread: little, so that a migration of it comes to an end. */
const restful = { rate: 100, pages: 8 };

/** Deltas of a guest that writes little, and then all of its memory once more. */
function comesToRest(w: Writer, pattern: string): void {
  const guest = `rate=${restful.rate},pages=${restful.pages},from=${2 ** 17},pattern=${pattern}`;
  w.start('source', { ramImage: imageOf(1), extra: ['-guest', guest] });
  w.capabilities('source', 'xbzrle');
  w.parameters('source', { 'max-bandwidth': 2 ** 19, 'downtime-limit': 1 });
  const uri = channelUri(w.peer('answer'));
  w.command('migrate', { uri });
  w.settle();
  w.command('migrate', { uri });
  w.settle();
}

/** A guest that is faster than its migration is slowed down, within the limits that were set. */
function throttled(w: Writer, limits: Readonly<Record<string, number>>): void {
  w.start('source', busy('noise', 64));
  w.capabilities('source', 'events', 'auto-converge');
  w.parameters('source', { 'max-bandwidth': 2 ** 19, 'downtime-limit': 1, ...limits });
  passes(w);
  w.command('migrate', { uri: channelUri(w.peer('answer')) });
  w.status(['completed', 'failed'], 'source', 'likely');
  w.status(['completed', 'failed'], 'source', 'likely');
  w.command('migrate_cancel');
  w.settle();
}

const guests: readonly ((w: Writer) => void)[] = [
  ...['counter', 'scatter', 'noise', 'zero'].map((pattern) => (w: Writer) => comesToRest(w, pattern)),
  ...['counter', 'scatter', 'noise', 'zero'].map((pattern) => (w: Writer) => inDeltas(w, pattern)),
  (w) => throttled(w, { 'cpu-throttle-initial': 40, 'cpu-throttle-increment': 10 }),
  (w) => throttled(w, { 'max-cpu-throttle': 45, 'cpu-throttle-increment': 30 }),
];

function ways({ dialect, guest }: Surroundings): readonly ((w: Writer) => void)[] {
  const [multifd] = named(['multifd'], dialect) ?? [];
  const [pausing, answered] = ['pause-before-switchover', 'return-path'].map((name) => named([name], dialect));
  return [
    // These show what others show by chance only, and are the shorter way to it.
    (w: Writer) => endsEarly(w, []),
    ...(pausing === undefined ? [] : [(w: Writer) => endsEarly(w, pausing)]),
    ...(answered === undefined ? [] : [(w: Writer) => standsLong(w, answered)]),
    ...[toPeer, toInstance].flatMap((way) =>
      sets.flatMap((set) => {
        const names = named(set, dialect);
        return names === undefined ? [] : [(w: Writer) => way(w, names)];
      }),
    ),
    ...(multifd === undefined ? [] : [(w: Writer) => withUuid(w, multifd), (w: Writer) => givenUp(w, multifd)]),
    ...(guest === true ? guests : []),
    paced,
  ];
}

/** Decisions that leave away what is not asked for: further monitors, and out of band. */
const plainly = [99, 99, 99, 99];

export const transfersOf = (surroundings: Surroundings): number => ways(surroundings).length;

/** The scenario that a tape stands for: its first decision is the number of the transfer. */
export function transfer([number = 0, ...decisions]: readonly number[], surroundings: Surroundings): Scenario {
  const all = ways(surroundings);
  const writer = new Writer(new Tape(decisions.length === 0 ? plainly : decisions), surroundings.dialect);
  all[number % all.length]?.(writer);
  return { scenario: scenarioVersion, steps: writer.steps };
}
