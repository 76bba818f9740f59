/**
 * Storms: many commands in one write, again and again, at a source that is idle, held, on its way, paused in postcopy, or
 * through. What takes care of one command at a time meets a queue that is never empty, and a campaign gets as many commands
 * through a target as it can take. Beside commands that fit there are such as are right but for one thing, and those of other
 * states.
 */
import type { Schema } from '../../qapi/schema.js';
import type { Dialect } from '../../reference/dialects/dialect.js';
import { channelUri, imageOf, type Scenario, type Step, scenarioVersion } from '../../targets/scenario.js';
import { nearMissesOf, textOf } from '../near-miss/near-miss.js';
import { bytesOf, sometimes } from './around.js';
import { fast, slow, switched } from './postcopy.js';
import { fromTable, Tape } from './tape.js';
import { anyStatus, badUri, capability, parameters, placeToListen } from './values.js';
import { terminal } from './writer.js';

interface Call {
  readonly execute: string;
  readonly arguments?: unknown;
}

/** Commands of one write. */
const fewest = 16;
const most = 63;

/** Rounds of a storm: what builds up in a queue needs time, and it begins to cost little only once it has begun. */
const shortest = 8;
const longest = 32;

/** Where it breaks loose, with weights; `idle` first, for it shrinks to that. */
const places = {
  idle: 3,
  stopped: 1,
  stall: 3,
  answer: 2,
  'pre-switchover': 2,
  postcopy: 1,
  'postcopy-paused': 1,
  completed: 2,
  failed: 1,
} as const;
type Place = keyof typeof places;

/** Places that need content to send: a small guest is through before anything meets it. */
const withImage: ReadonlySet<Place> = new Set(['stall', 'answer']);
/** Places at which there is a channel. */
const withChannel: ReadonlySet<Place> = new Set([
  'stall',
  'answer',
  'pre-switchover',
  'postcopy',
  'postcopy-paused',
  'completed',
]);

function call(tape: Tape, dialect: Dialect): Call {
  return tape.weighted<() => Call>([
    [6, () => ({ execute: 'query-migrate' })],
    [3, () => ({ execute: 'query-status' })],
    [2, () => ({ execute: 'query-migrate-parameters' })],
    [1, () => ({ execute: 'query-migrate-capabilities' })],
    [4, () => ({ execute: 'migrate-set-parameters', arguments: parameters(tape) })],
    [2, () => ({ execute: 'migrate-set-capabilities', arguments: { capabilities: [capability(tape, dialect)] } })],
    [1, () => ({ execute: 'migrate-continue', arguments: { state: anyStatus(tape) } })],
    [1, () => ({ execute: 'migrate-start-postcopy' })],
    [1, () => ({ execute: 'migrate-pause' })],
    [1, () => ({ execute: 'migrate-recover', arguments: { uri: placeToListen(tape) } })],
    [1, () => ({ execute: 'migrate-incoming', arguments: { uri: placeToListen(tape) } })],
    [1, () => ({ execute: 'stop' })],
    [1, () => ({ execute: 'cont' })],
  ])();
}

const command = (execute: string, args?: unknown): Step => ({
  do: 'command',
  at: 'source',
  execute,
  ...(args === undefined ? {} : { arguments: args }),
});
const status = (is: readonly string[], deadline: number): Step => ({ do: 'status', at: 'source', is, deadline });

/** The way to a place. */
function way(place: Place, tape: Tape): Step[] {
  const capabilities = (...names: readonly string[]): Step =>
    command('migrate-set-capabilities', { capabilities: names.map((name) => ({ capability: name, state: true })) });
  const held = (behaviour: 'stall' | 'answer'): Step => ({ do: 'peer', channel: 's', behaviour });
  const uri = { uri: channelUri('s') };
  switch (place) {
    case 'idle':
      return [];
    case 'stopped':
      return [command('stop')];
    case 'failed':
      return [command('migrate', { uri: badUri(tape) })];
    case 'stall':
    case 'answer':
      return [held(place), command('migrate', uri), ...(tape.chance(60) ? [status(['active', ...terminal], 300)] : [])];
    case 'completed':
      return [
        held('answer'),
        command('migrate', uri),
        status(terminal, 2000),
        { do: 'runstate', at: 'source', is: ['postmigrate'], deadline: 1000 },
      ];
    case 'pre-switchover':
      return [
        capabilities('pause-before-switchover'),
        held('answer'),
        command('migrate', uri),
        status(['pre-switchover', ...terminal], 1000),
      ];
    default: {
      const commands = [{ execute: 'migrate', arguments: uri }, { execute: 'migrate-start-postcopy' }];
      return [
        capabilities('postcopy-ram'),
        command('migrate-set-parameters', slow),
        held('answer'),
        { do: 'pipeline', at: 'source', commands },
        status(switched, 1000),
        ...(place === 'postcopy' ? [] : [command('migrate-pause'), status(['postcopy-paused', ...terminal], 1000)]),
      ];
    }
  }
}

/** Lets what is under way come to its end. */
const wayOut: readonly Step[] = [
  command('migrate-set-parameters', fast),
  command('migrate_cancel'),
  { do: 'release', channel: 's' },
  status([...terminal, 'postcopy-active', 'postcopy-paused'], 3000),
  { do: 'runstate', at: 'source', is: ['postmigrate', 'running', 'paused'], deadline: 2000 },
];

/** The storm that a tape stands for. */
export function storm(decisions: readonly number[], dialect: Dialect, schema: Schema): Scenario {
  const tape = new Tape(decisions);
  const place = fromTable(tape, places);
  const rounds = shortest + tape.number(longest - shortest + 1);
  const calls = Array.from({ length: fewest + tape.number(most - fewest + 1) }, () => call(tape, dialect));
  const misses = nearMissesOf(schema, dialect);
  const steps: Step[] = [
    { do: 'start', at: 'source', ...(withImage.has(place) ? { options: { ramImage: imageOf(4) } } : {}) },
    { do: 'connect', at: 'source' },
    command('migrate-set-capabilities', { capabilities: [{ capability: 'events', state: true }] }),
    ...way(place, tape),
  ];
  for (let round = 0; round < rounds; round++) {
    // Another beginning each time: what follows the last command of a round is not always the same.
    const from = (round * 7) % calls.length;
    steps.push({ do: 'pipeline', at: 'source', commands: [...calls.slice(from), ...calls.slice(0, from)] });
    if (sometimes(tape, 40)) {
      const bad = Array.from({ length: 1 + tape.number(4) }, (_, n) =>
        textOf(misses.draw(tape), `miss-${round * 8 + n}`),
      );
      steps.push({ do: 'raw', at: 'source', bytes: bytesOf(`${bad.join('\n')}\n`) });
    }
    steps.push({ do: 'fence', at: 'source' });
  }
  if (withChannel.has(place)) steps.push(...wayOut);
  return { scenario: scenarioVersion, steps };
}
