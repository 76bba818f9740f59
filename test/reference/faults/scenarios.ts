/** A handful of scenarios, each short, that between them bring every planted fault to light. */
import {
  channelUri,
  imageOf,
  type PeerBehaviour,
  type Scenario,
  type Step,
  scenarioVersion,
} from '../../../targets/scenario.js';
import type { StartOptions } from '../../../targets/target.js';

/** Milliseconds for an event that a fault may have swallowed. */
const deadline = 1000;

/** A small guest: its pages are not what is looked at. */
const start = (at: string, options: StartOptions = {}): Step[] => [
  { do: 'start', at, options: { memory: 16, ...options } },
  { do: 'connect', at },
];
const command = (execute: string, args?: unknown, at = 'source'): Step => ({
  do: 'command',
  at,
  execute,
  ...(args === undefined ? {} : { arguments: args }),
});
const capabilities = (...names: string[]): Step => on('source', ...names);
const on = (at: string, ...names: string[]): Step =>
  command('migrate-set-capabilities', { capabilities: names.map((capability) => ({ capability, state: true })) }, at);
const peer = (behaviour: PeerBehaviour): Step => ({ do: 'peer', channel: 'a', behaviour });
const migrate = command('migrate', { uri: channelUri('a') });
const migration = (status: string, at = 'source'): Step => ({
  do: 'event',
  at,
  event: 'MIGRATION',
  status: [status],
  deadline,
});
const runState = (...is: string[]): Step => ({ do: 'runstate', at: 'source', is, deadline });
const info = command('query-migrate');
const vm = command('query-status');
/** More replies than an event that is on its way may be overtaken by. */
const look: Step[] = [info, vm, info, vm, info];

const steps = {
  /** From the first word to the guest's running on. */
  whole: [
    ...start('source'),
    info,
    capabilities('events'),
    peer('answer'),
    migrate,
    migration('completed'),
    runState('postmigrate'),
    ...look,
    command('cont'),
    vm,
    command('stop'),
    ...look,
  ],
  quiet: [...start('source'), peer('answer'), migrate, runState('postmigrate'), ...look],
  /** Held up by a peer that does not read. */
  held: [
    ...start('source', { ramImage: imageOf(8) }),
    capabilities('events'),
    peer('stall'),
    migrate,
    migration('active'),
    info,
    migrate,
    capabilities('xbzrle'),
    command('migrate-set-parameters', { 'downtime-limit': 200 }),
    command('migrate-start-postcopy'),
    command('migrate-pause'),
    command('migrate-recover', { uri: channelUri('b') }),
    command('migrate-continue', { state: 'pre-switchover' }),
    info,
    info,
    command('migrate_cancel'),
    migration('cancelled'),
    ...look,
    command('stop'),
    ...look,
  ],
  /** Held up by a peer that does not read, with limits for the throttle; the cancel is given time. */
  converging: [
    ...start('source', { ramImage: imageOf(8) }),
    capabilities('events', 'auto-converge'),
    command('migrate-set-parameters', { 'cpu-throttle-initial': 30, 'max-cpu-throttle': 50 }),
    peer('stall'),
    migrate,
    migration('active'),
    ...look,
    command('migrate_cancel'),
    { do: 'status', at: 'source', is: ['cancelled'], deadline: 3000 },
    ...look,
  ],
  /** Waiting before the switch-over, then on. */
  waiting: [
    ...start('source'),
    capabilities('events', 'pause-before-switchover'),
    peer('answer'),
    migrate,
    migration('pre-switchover'),
    ...look,
    command('cont'),
    command('migrate-continue', { state: 'active' }),
    command('migrate-continue', { state: 'pre-switchover' }),
    migration('completed'),
    runState('postmigrate'),
    ...look,
    command('cont'),
    vm,
  ],
  /** Waiting before the switch-over, then back. */
  back: [
    ...start('source'),
    capabilities('events', 'pause-before-switchover'),
    peer('answer'),
    migrate,
    migration('pre-switchover'),
    vm,
    command('migrate_cancel'),
    migration('cancelled'),
    ...look,
    ...look,
  ],
  backPaused: [
    ...start('source', { paused: true }),
    capabilities('events', 'pause-before-switchover'),
    peer('answer'),
    migrate,
    migration('pre-switchover'),
    command('migrate_cancel'),
    migration('cancelled'),
    ...look,
  ],
  /** Postcopy that is paused and taken up again. */
  postcopy: [
    ...start('source', { ramImage: imageOf(8) }),
    capabilities('events', 'postcopy-ram'),
    command('migrate-set-parameters', { 'max-bandwidth': 1_000_000, 'max-postcopy-bandwidth': 1_000_000 }),
    peer('answer'),
    migrate,
    migration('active'),
    command('migrate-start-postcopy'),
    migration('postcopy-active'),
    info,
    vm,
    command('cont'),
    command('migrate-pause'),
    migration('postcopy-paused'),
    ...look,
    command('migrate_cancel'),
    command('migrate', { uri: channelUri('a'), resume: true }),
    migration('postcopy-recover'),
    command('migrate-set-parameters', { 'max-bandwidth': 0, 'max-postcopy-bandwidth': 0 }),
    migration('completed'),
    ...look,
  ],
  /** An error that the destination reports at the very end. */
  refusedLate: [
    ...start('source'),
    capabilities('events', 'return-path'),
    peer('error'),
    migrate,
    migration('failed'),
    runState('running'),
    ...look,
  ],
  /** Nobody listens; then a scheme that there is not. */
  absent: [
    ...start('source'),
    capabilities('events'),
    peer('absent'),
    migrate,
    migration('failed'),
    ...look,
    command('migrate', { uri: 'qmpspec:nothing' }),
    ...look,
    peer('answer'),
    migrate,
    migration('completed'),
    runState('postmigrate'),
    ...look,
  ],
  /** Commands where there is no migration. */
  idle: [
    ...start('source'),
    info,
    command('migrate_cancel'),
    command('migrate-continue', { state: 'active' }),
    command('migrate-start-postcopy'),
    command('migrate-pause'),
    command('migrate-recover', { uri: channelUri('b') }),
    command('migrate-incoming', { uri: channelUri('b') }),
    command('migrate', { uri: channelUri('b'), resume: true }),
    command('stop'),
    vm,
    command('cont'),
    vm,
  ],
  settings: [
    ...start('source'),
    command('query-migrate-parameters'),
    command('query-migrate-capabilities'),
    command('migrate-set-parameters', { 'downtime-limit': 123, 'max-bandwidth': 2 ** 31 }),
    command('query-migrate-parameters'),
    command('migrate-set-parameters', { 'cpu-throttle-increment': 7, 'downtime-limit': 2_000_001 }),
    command('query-migrate-parameters'),
    capabilities('events', 'return-path'),
    command('query-migrate-capabilities'),
    command('migrate-set-capabilities', {
      capabilities: [
        { capability: 'xbzrle', state: true },
        { capability: 'xbzrle', state: false },
      ],
    }),
    command('query-migrate-capabilities'),
    // Two that exclude each other, where there are both.
    capabilities('postcopy-ram', 'compress'),
    command('query-migrate-capabilities'),
  ],
  /** Two processes; the second waits for the first. */
  both: [
    ...start('source'),
    ...start('destination', { incoming: 'defer' }),
    on('destination', 'events'),
    command('migrate', { uri: channelUri('c') }, 'destination'),
    command('migrate-incoming', { uri: channelUri('b') }, 'destination'),
    command('migrate-incoming', { uri: channelUri('c') }, 'destination'),
    command('migrate', { uri: channelUri('b') }),
    migration('completed', 'destination'),
    command('query-migrate', undefined, 'destination'),
    command('query-status', undefined, 'destination'),
    command('query-migrate', undefined, 'destination'),
    command('query-status', undefined, 'destination'),
    command('stop', undefined, 'destination'),
    command('query-status', undefined, 'destination'),
  ],
  /** The same, and the guest is not to run there. */
  bothPaused: [
    ...start('source'),
    ...start('destination', { incoming: 'defer', paused: true }),
    on('destination', 'events'),
    command('migrate-incoming', { uri: channelUri('b') }, 'destination'),
    command('migrate', { uri: channelUri('b') }),
    migration('completed', 'destination'),
    command('query-status', undefined, 'destination'),
  ],
  /** A destination whose source is killed on the way. */
  orphan: [
    ...start('source', { ramImage: imageOf(8) }),
    ...start('destination', { incoming: 'defer' }),
    on('destination', 'events'),
    command('migrate-incoming', { uri: channelUri('b') }, 'destination'),
    command('migrate-set-parameters', { 'max-bandwidth': 4096 }),
    command('migrate', { uri: channelUri('b') }),
    migration('active', 'destination'),
    { do: 'kill', at: 'source' },
    { do: 'exit', at: 'destination', deadline },
    command('query-migrate', undefined, 'destination'),
    command('query-status', undefined, 'destination'),
    command('query-migrate', undefined, 'destination'),
    command('query-status', undefined, 'destination'),
  ],
} satisfies Record<string, readonly Step[]>;

export type ScenarioName = keyof typeof steps;
export const scenarioNames = Object.keys(steps) as ScenarioName[];

export const scenarioOf = (name: ScenarioName): Scenario => ({
  scenario: scenarioVersion,
  title: name,
  steps: steps[name],
});
