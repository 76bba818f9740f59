/**
 * Race schedules: each command at each gap of each kind of migration, enumerated and not left to luck. A race is a number;
 * the same number is the same schedule for a dialect, everywhere.
 */
import type { Dialect } from '../../reference/dialects/dialect.js';
import { type Scenario, type Step, scenarioVersion } from '../../targets/scenario.js';
import { type Command, channel, type Drive, type Ladder, ladders, nowhere, type Rung } from './ladders.js';

/** What is thrown into a gap. */
const intruders: Readonly<Record<string, Command | 'reconnect' | 'cut'>> = {
  migrate_cancel: { execute: 'migrate_cancel' },
  stop: { execute: 'stop' },
  cont: { execute: 'cont' },
  migrate: { execute: 'migrate', arguments: { uri: nowhere } },
  resume: { execute: 'migrate', arguments: { uri: nowhere, resume: true } },
  'migrate-pause': { execute: 'migrate-pause' },
  'migrate-continue': { execute: 'migrate-continue', arguments: { state: 'pre-switchover' } },
  'migrate-start-postcopy': { execute: 'migrate-start-postcopy' },
  'migrate-recover': { execute: 'migrate-recover', arguments: { uri: 'qmpspec:nothing' } },
  'migrate-set-capabilities': {
    execute: 'migrate-set-capabilities',
    arguments: { capabilities: [{ capability: 'auto-converge', state: true }] },
  },
  'migrate-set-parameters': { execute: 'migrate-set-parameters', arguments: { 'downtime-limit': 1 } },
  'x-colo-lost-heartbeat': { execute: 'x-colo-lost-heartbeat' },
  'query-migrate': { execute: 'query-migrate' },
  system_reset: { execute: 'system_reset' },
  quit: { execute: 'quit' },
  /** The connection is given up, and another one made. */
  reconnect: 'reconnect',
  /** The migration channel is cut. */
  cut: 'cut',
};

/** Where in a rung. */
type Moment =
  /** In front of what drives the migration on, in the same write. */
  | 'before'
  /** Behind it, in the same write. */
  | 'with'
  /** Once the event of this index has been seen. */
  | number;

export interface Race {
  /** For example `recovery/3:postcopy-recover/migrate_cancel@source`. */
  readonly name: string;
  readonly ladder: Ladder;
  readonly rung: number;
  readonly moment: Moment;
  readonly intruder: string;
  readonly at: 'source' | 'destination';
}

/** Milliseconds for an event of the ladder, which a race may have made impossible. */
const eventPatience = 250;
const endPatience = 400;

const enumerated = new Map<Dialect, readonly Race[]>();

/** Every race of a dialect, in a fixed order. */
export function races(dialect: Dialect): readonly Race[] {
  let all = enumerated.get(dialect);
  if (all === undefined) {
    all = ladders.filter(({ capabilities }) => known(dialect, capabilities)).flatMap(racesOf);
    enumerated.set(dialect, all);
  }
  return all;
}

const known = ({ migration }: Dialect, capabilities: readonly string[]): boolean =>
  capabilities.every((name) => migration.capabilities.includes(name));

function racesOf(ladder: Ladder): Race[] {
  const places = ladder.peer === undefined ? (['source', 'destination'] as const) : (['source'] as const);
  return ladder.rungs.flatMap(({ events }, rung) =>
    (['before', 'with', ...events.keys()] as const).flatMap((moment) =>
      places.flatMap((at) =>
        Object.entries(intruders)
          // A channel between two instances goes without us.
          .filter(([, what]) => what !== 'cut' || ladder.peer !== undefined)
          .map(([intruder]) => {
            const where = typeof moment === 'number' ? events[moment] : moment;
            return {
              name: `${ladder.name}/${rung + 1}:${where}/${intruder}@${at}`,
              ladder,
              rung,
              moment,
              intruder,
              at,
            };
          }),
      ),
    ),
  );
}

/** The scenario of a race. */
export function raceScenario(race: Race): Scenario {
  const { ladder } = race;
  const steps: Step[] = [...preparation(ladder)];
  for (const [index, rung] of ladder.rungs.entries()) {
    if (index < race.rung) steps.push(...driven(rung.drive), ...rung.events.map((event) => awaited(event)));
    else if (index === race.rung) steps.push(...raced(race, rung));
    else steps.push(...driven(rung.drive), settled([statusOf(rung)]));
  }
  if (ladder.peer !== undefined) steps.push({ do: 'release', channel });
  steps.push(settled([]));
  steps.push({ do: 'runstate', at: 'source', is: ['postmigrate', 'running', 'paused'], deadline: 100 });
  steps.push({ do: 'fence', at: 'source' });
  return { scenario: scenarioVersion, title: race.name, steps };
}

function* preparation({ start, capabilities, parameters, peer, bytes }: Ladder): Iterable<Step> {
  const switchOn = (at: string): Step => ({
    do: 'command',
    at,
    execute: 'migrate-set-capabilities',
    arguments: { capabilities: ['events', ...capabilities].map((capability) => ({ capability, state: true })) },
  });
  yield { do: 'start', at: 'source', ...(Object.keys(start).length === 0 ? {} : { options: start }) };
  yield { do: 'connect', at: 'source' };
  yield switchOn('source');
  if (parameters !== undefined)
    yield { do: 'command', at: 'source', execute: 'migrate-set-parameters', arguments: parameters };
  if (peer !== undefined) {
    yield { do: 'peer', channel, behaviour: peer, ...(bytes === undefined ? {} : { bytes }) };
    return;
  }
  const { memory } = start;
  yield { do: 'start', at: 'destination', options: { incoming: 'defer', ...(memory === undefined ? {} : { memory }) } };
  yield { do: 'connect', at: 'destination' };
  yield switchOn('destination');
  const uri = `unix:{channel ${channel}}`;
  yield { do: 'command', at: 'destination', execute: 'migrate-incoming', arguments: { uri } };
}

function driven(drive: Drive): Step[] {
  if ('channel' in drive) return [drive.channel];
  if ('destination' in drive) return [{ do: 'command', at: 'destination', ...drive.destination }];
  return [{ do: 'pipeline', at: 'source', commands: drive.commands }];
}

function raced({ moment, intruder, at }: Race, rung: Rung): Step[] {
  const { drive, events } = rung;
  const what = intruders[intruder] as (typeof intruders)[string];
  const intrusion: Step[] =
    what === 'cut'
      ? [{ do: 'cut', channel }]
      : what === 'reconnect'
        ? [
            { do: 'disconnect', at },
            { do: 'connect', at },
          ]
        : [{ do: 'pipeline', at, commands: [what] }];
  const after = settled([statusOf(rung)]);
  if (typeof moment === 'number') {
    return [...driven(drive), ...events.slice(0, moment + 1).map((event) => awaited(event)), ...intrusion, after];
  }
  if ('commands' in drive && at === 'source' && typeof what === 'object') {
    const commands = moment === 'before' ? [what, ...drive.commands] : [...drive.commands, what];
    return [{ do: 'pipeline', at, commands }, after];
  }
  return moment === 'before' ? [...intrusion, ...driven(drive), after] : [...driven(drive), ...intrusion, after];
}

const otherEvents: ReadonlySet<string> = new Set(['STOP', 'RESUME']);

function awaited(event: string): Step {
  const deadline = eventPatience;
  if (otherEvents.has(event)) return { do: 'event', at: 'source', event, deadline };
  return { do: 'event', at: 'source', event: 'MIGRATION', status: [event], deadline };
}

/** Where a rung leads: the last status that it tells, if it tells one. */
const statusOf = ({ events }: Rung): string => events.findLast((event) => !otherEvents.has(event)) ?? '';

/** Until the source is where the ladder leads, or at one of the ends that a race may bring. */
const settled = (statuses: readonly string[]): Step => ({
  do: 'status',
  at: 'source',
  is: [...statuses.filter((status) => status !== ''), 'none', 'completed', 'failed', 'cancelled', 'postcopy-paused'],
  deadline: endPatience,
});
