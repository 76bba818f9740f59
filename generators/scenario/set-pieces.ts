/**
 * Set pieces: short conversations with a target that none of the lists of commands has in it, each with a beginning and an end of
 * its own. The sweeps of a campaign begin and end with them.
 */
import type { Schema } from '../../qapi/schema.js';
import type { Dialect } from '../../reference/dialects/dialect.js';
import { channelUri, imageOf, type Scenario, type Step, scenarioVersion } from '../../targets/scenario.js';
import { slow } from './postcopy.js';

const command = (execute: string, args?: unknown): Step => ({
  do: 'command',
  at: 'source',
  execute,
  ...(args === undefined ? {} : { arguments: args }),
});

const capabilities = (...names: readonly string[]): Step =>
  command('migrate-set-capabilities', { capabilities: names.map((capability) => ({ capability, state: true })) });

/** Out of band on a connection that allows it: what may be asked so, and what may not. */
function outOfBand({ protocol }: Dialect): Scenario {
  const monitors = [{ transport: 'unix' as const, ...(protocol.oobOffer === 'option' ? { oob: true } : {}) }];
  const oob = (execute: string, id: number): Step => ({
    do: 'raw',
    at: 'source',
    bytes: `{"exec-oob":"${execute}","id":"sweep-${id}"}\n`,
  });
  const asked = ['migrate-pause', 'query-migrate', 'stop', 'qmpspec-none', 'migrate-recover'];
  return {
    scenario: scenarioVersion,
    steps: [
      { do: 'start', at: 'source', options: { monitors } },
      { do: 'connect', at: 'source', enable: ['oob'] },
      ...asked.flatMap((name, id): Step[] => [oob(name, id), { do: 'fence', at: 'source' }]),
    ],
  };
}

/** Ahead of the negotiation, where nothing is taken but the negotiation. */
const early: Scenario = {
  scenario: scenarioVersion,
  steps: [
    { do: 'start', at: 'source' },
    {
      do: 'connect',
      at: 'source',
      before: ['query-status', 'query-migrate', 'stop', 'qmpspec-none'].map((execute) => ({ execute })),
    },
    command('query-status'),
  ],
};

/** Two monitors hear of the same events. */
const twice: Scenario = {
  scenario: scenarioVersion,
  steps: [
    { do: 'start', at: 'source', options: { monitors: [{ transport: 'unix' }, { transport: 'unix' }] } },
    { do: 'connect', at: 'source' },
    { do: 'connect', at: 'source', monitor: 1, before: [{ execute: 'query-status' }] },
    command('stop'),
    command('cont'),
    { do: 'fence', at: 'source#2' },
    { do: 'fence', at: 'source' },
  ],
};

/** The end, which is told. */
const left: Scenario = {
  scenario: scenarioVersion,
  steps: [
    { do: 'start', at: 'source' },
    { do: 'connect', at: 'source' },
    command('quit'),
    { do: 'exit', at: 'source' },
  ],
};

/** Two events with time between them: what happens later is told with a later time. Nothing else waits so long. */
const apart: Scenario = {
  scenario: scenarioVersion,
  steps: [
    { do: 'start', at: 'source' },
    { do: 'connect', at: 'source' },
    command('stop'),
    { do: 'runstate', at: 'source', is: ['running'], deadline: 2000 },
    command('cont'),
    { do: 'fence', at: 'source' },
  ],
};

/** A migration that nobody reads, looked at for a while. */
const stalled: Scenario = {
  scenario: scenarioVersion,
  steps: [
    { do: 'start', at: 'source', options: { ramImage: imageOf(1) } },
    { do: 'connect', at: 'source' },
    { do: 'peer', channel: 'a', behaviour: 'stall' },
    command('migrate', { uri: channelUri('a') }),
    { do: 'status', at: 'source', is: ['completed', 'failed'], deadline: 1200 },
    command('migrate_cancel'),
    { do: 'status', at: 'source', is: ['cancelled', 'completed', 'failed'] },
  ],
};

/** Descriptors that are passed, named and given back, alone and in a set. */
function passed(schema: Schema): Scenario {
  const riding = (execute: string, args: unknown): Step => ({
    do: 'command',
    at: 'source',
    execute,
    arguments: args,
    descriptors: 1,
  });
  const steps = [
    riding('getfd', { fdname: 'qmpspec-fd' }),
    command('closefd', { fdname: 'qmpspec-fd' }),
    riding('add-fd', { 'fdset-id': 4712 }),
    command('query-fdsets'),
    command('remove-fd', { 'fdset-id': 4712 }),
  ];
  return {
    scenario: scenarioVersion,
    steps: [
      { do: 'start', at: 'source' },
      { do: 'connect', at: 'source' },
      ...steps.filter((step) => step.do === 'command' && schema.commands.has(step.execute)),
    ],
  };
}

/** A guest with a name. */
const named: Scenario = {
  scenario: scenarioVersion,
  steps: [
    { do: 'start', at: 'source', options: { name: 'qmpspec' } },
    { do: 'connect', at: 'source' },
    command('query-name'),
  ],
};

/** A port of loopback below those that systems choose from. */
const port = 20_304;

/** A destination that listens at a port, and tells where. Should the port be taken there is nothing to tell. */
const listening: Scenario = {
  scenario: scenarioVersion,
  steps: [
    { do: 'start', at: 'destination', options: { incoming: 'defer' } },
    { do: 'connect', at: 'destination' },
    { do: 'command', at: 'destination', execute: 'migrate-incoming', arguments: { uri: `tcp:127.0.0.1:${port}` } },
    { do: 'command', at: 'destination', execute: 'query-migrate' },
  ],
};

/** A source whose guest has gone, while its destination still keeps silent. */
const gone: Scenario = {
  scenario: scenarioVersion,
  steps: [
    { do: 'start', at: 'source' },
    { do: 'connect', at: 'source' },
    { do: 'peer', channel: 'a', behaviour: 'silent' },
    command('migrate-set-capabilities', { capabilities: [{ capability: 'postcopy-ram', state: true }] }),
    {
      do: 'pipeline',
      at: 'source',
      commands: [{ execute: 'migrate', arguments: { uri: channelUri('a') } }, { execute: 'migrate-start-postcopy' }],
    },
    { do: 'status', at: 'source', is: ['postcopy-active', 'completed', 'failed'] },
    command('cont'),
    command('stop'),
    command('query-status'),
    { do: 'release', channel: 'a' },
    { do: 'status', at: 'source', is: ['completed', 'failed'] },
  ],
};

/** A postcopy that is paused, looked at before and after, and taken up again. */
const paused: Scenario = {
  scenario: scenarioVersion,
  steps: [
    { do: 'start', at: 'source' },
    { do: 'connect', at: 'source' },
    { do: 'peer', channel: 'a', behaviour: 'silent' },
    { do: 'peer', channel: 'b', behaviour: 'answer' },
    command('migrate-set-capabilities', { capabilities: [{ capability: 'postcopy-ram', state: true }] }),
    {
      do: 'pipeline',
      at: 'source',
      commands: [{ execute: 'migrate', arguments: { uri: channelUri('a') } }, { execute: 'migrate-start-postcopy' }],
    },
    { do: 'status', at: 'source', is: ['postcopy-active', 'completed', 'failed'] },
    command('migrate-pause'),
    command('query-migrate'),
    { do: 'status', at: 'source', is: ['postcopy-paused', 'completed', 'failed'] },
    command('query-status'),
    command('migrate', { uri: channelUri('b'), resume: true }),
    { do: 'status', at: 'source', is: ['completed', 'failed'] },
  ],
};

const on = (...names: readonly string[]) => ({
  execute: 'migrate-set-capabilities',
  arguments: { capabilities: names.map((capability) => ({ capability, state: true })) },
});
const to = (channel: string) => ({ execute: 'migrate', arguments: { uri: channelUri(channel) } });
const over = { do: 'status', at: 'source', is: ['completed', 'failed'] } as const satisfies Step;

/** A postcopy whose destination asks for a page while little comes by itself. */
const asked: Scenario = {
  scenario: scenarioVersion,
  steps: [
    { do: 'start', at: 'source', options: { ramImage: imageOf(1) } },
    { do: 'connect', at: 'source' },
    { do: 'peer', channel: 'a', behaviour: 'ask' },
    command('migrate-set-parameters', { 'max-postcopy-bandwidth': slow['max-postcopy-bandwidth'] }),
    { do: 'pipeline', at: 'source', commands: [on('postcopy-ram'), to('a'), { execute: 'migrate-start-postcopy' }] },
    { ...over, deadline: 1500 },
    command('migrate-set-parameters', { 'max-postcopy-bandwidth': 0 }),
    over,
  ],
};

/** A switch that comes once some pages have gone. */
const late: Scenario = {
  scenario: scenarioVersion,
  steps: [
    { do: 'start', at: 'source', options: { ramImage: imageOf(1) } },
    { do: 'connect', at: 'source' },
    { do: 'peer', channel: 'a', behaviour: 'answer' },
    command('migrate-set-parameters', { 'max-bandwidth': slow['max-bandwidth'] }),
    { do: 'pipeline', at: 'source', commands: [on('postcopy-ram'), to('a')] },
    { do: 'status', at: 'source', is: ['active', 'completed', 'failed'] },
    command('migrate-start-postcopy'),
    over,
  ],
};

/** What a source has given back is not there for another migration. */
const released: Scenario = {
  scenario: scenarioVersion,
  steps: [
    { do: 'start', at: 'source', options: { ramImage: imageOf(1) } },
    { do: 'connect', at: 'source' },
    { do: 'peer', channel: 'a', behaviour: 'answer' },
    {
      do: 'pipeline',
      at: 'source',
      commands: [on('postcopy-ram', 'release-ram'), to('a'), { execute: 'migrate-start-postcopy' }],
    },
    over,
    command('migrate', { uri: channelUri('a') }),
    over,
  ],
};

/** A migration that is cancelled on its way. */
const cancelled: Scenario = {
  scenario: scenarioVersion,
  steps: [
    { do: 'start', at: 'source', options: { ramImage: imageOf(1) } },
    { do: 'connect', at: 'source' },
    { do: 'peer', channel: 'a', behaviour: 'answer' },
    capabilities('events'),
    command('migrate-set-parameters', slow),
    command('migrate', { uri: channelUri('a') }),
    { do: 'status', at: 'source', is: ['active', 'completed', 'failed'] },
    command('migrate_cancel'),
    { do: 'status', at: 'source', is: ['cancelled', 'completed', 'failed'], deadline: 3000 },
  ],
};

/** One whose guest has stopped for the switch-over when it is cancelled: then it goes on. */
const heldBack = (schema: Schema): Scenario => ({
  scenario: scenarioVersion,
  steps: [
    { do: 'start', at: 'source' },
    { do: 'connect', at: 'source' },
    { do: 'peer', channel: 'a', behaviour: 'answer' },
    capabilities('events', 'pause-before-switchover'),
    command('migrate', { uri: channelUri('a') }),
    { do: 'status', at: 'source', is: ['pre-switchover', 'completed', 'failed'] },
    ...(schema.commands.has('query-yank') ? [command('query-migrate'), command('query-yank')] : []),
    command('migrate_cancel'),
    { do: 'status', at: 'source', is: ['cancelled', 'completed', 'failed'] },
    { do: 'runstate', at: 'source', is: ['running'] },
  ],
});

/** Those that a campaign begins with, and those behind its lists. */
export function setPieces(
  dialect: Dialect,
  schema: Schema,
): { readonly first: readonly Scenario[]; readonly last: readonly Scenario[] } {
  const has = (name: string) => dialect.migration.capabilities.includes(name);
  const postcopies = has('postcopy-ram') ? [gone, paused, asked, late] : [];
  if (has('postcopy-ram') && has('release-ram')) postcopies.push(released);
  const held = has('pause-before-switchover') ? [heldBack(schema)] : [];
  const places = dialect.migration.showsSocketAddress ? [listening] : [];
  return {
    first: [early, named, left, apart, stalled, cancelled, ...held, passed(schema)],
    last: [outOfBand(dialect), ...postcopies, twice, ...places],
  };
}
