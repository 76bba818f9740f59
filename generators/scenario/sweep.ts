/**
 * Sweeps: everything that a source can be asked and told while nothing is under way, once and in turn, a handful a scenario:
 * each parameter at its ends, each capability on and off, each command with no more than it needs. A campaign begins with
 * them, since they are cheap and leave nothing out.
 */
import type { Schema } from '../../qapi/schema.js';
import type { Dialect } from '../../reference/dialects/dialect.js';
import type { ParameterRule } from '../../reference/dialects/migration-parameters.js';
import { migrationCommands, migrationStatuses } from '../../reference/model/index.js';
import { type Scenario, type Step, scenarioVersion } from '../../targets/scenario.js';
import { mayBeExecuted } from '../harmless-commands.js';
import { setPieces } from './set-pieces.js';

/** Steps of one scenario beside its beginning, about. */
const handful = 12;

const command = (execute: string, args?: unknown): Step => ({
  do: 'command',
  at: 'source',
  execute,
  ...(args === undefined ? {} : { arguments: args }),
});

/** Larger values are refused or wrap around: that is for others to try. */
const most = 2n ** 31n - 1n;

/** Legal values of a parameter that are not what it begins with. */
function valuesOf({ kind, range, bits, initial, check }: ParameterRule): readonly unknown[] {
  switch (kind) {
    case 'integer': {
      // Nothing is kept in it before a migration. More than 31 bits hold, and the default again.
      if (check === 'cache-size') return [4096 * 64, 2 ** 32, Number(initial)];
      const [low, high] = range ?? [0n, bits === 8 ? 255n : most];
      const top = high > most ? most : high;
      return [low, low + 1n, top - 1n, top].filter((one) => String(one) !== initial).map(Number);
    }
    case 'boolean':
      return [initial !== true, initial === true];
    case 'text':
      // Credentials that are not there are refused by a later migration only: none must follow before they are gone.
      return ['qmpspec', '', null];
    default:
      return check === 'bitmap-mapping' ? [[mapped('second'), mapped('first')], []] : [];
  }
}

/** Dirty bitmaps of a node that there need not be. */
const mapped = (node: string) => ({
  'node-name': node,
  alias: `${node}-alias`,
  bitmaps: ['b', 'a'].map((name) => ({ name, alias: `${name}-alias` })),
});

/** Things to try that belong together, each with the look at what became of it. */
function parts(dialect: Dialect, schema: Schema): readonly (readonly Step[])[] {
  const { parameters, capabilities } = dialect.migration;
  const settings = parameters.map((rule) =>
    valuesOf(rule).flatMap((value) => [
      command('migrate-set-parameters', { [rule.name]: value }),
      command('query-migrate-parameters'),
    ]),
  );
  const switches = capabilities.map((capability) =>
    [true, false].flatMap((state) => [
      command('migrate-set-capabilities', { capabilities: [{ capability, state }] }),
      command('query-migrate-capabilities'),
    ]),
  );
  // What was right of a list must not stay when something else of it was refused.
  const mixed = capabilities.map((capability) => [
    command('migrate-set-capabilities', {
      capabilities: [
        { capability, state: true },
        { capability: 'qmpspec-none', state: true },
      ],
    }),
    command('query-migrate-capabilities'),
  ]);
  const several = [
    command('migrate-set-capabilities', {
      capabilities: capabilities.map((capability) => ({ capability, state: false })),
    }),
    command('query-migrate-capabilities'),
    command('migrate-set-capabilities', { capabilities: [] }),
    // The last word on a capability counts.
    command('migrate-set-capabilities', {
      capabilities: [true, false].map((state) => ({ capability: 'auto-converge', state })),
    }),
    command('query-migrate-capabilities'),
    command('migrate-set-parameters', {}),
    command('query-migrate-parameters'),
  ];
  return [...settings, ...switches, ...mixed, ...unwelcome(capabilities), several, ...commands(schema), ...refusals];
}

/** Lists whose last capability some releases refuse beside postcopy: then the first ones must not stay. */
function unwelcome(capabilities: readonly string[]): readonly (readonly Step[])[] {
  const all = (names: readonly string[], state: boolean): Step =>
    command('migrate-set-capabilities', { capabilities: names.map((capability) => ({ capability, state })) });
  const beside = capabilities.filter((one) => one !== 'auto-converge' && one !== 'postcopy-ram');
  return beside.map((one) => {
    const names = ['auto-converge', 'postcopy-ram', one];
    return [all(names, true), command('query-migrate-capabilities'), all(names.toReversed(), false)];
  });
}

/** Each command that needs nothing, or little, followed by what it might have changed. */
function commands(schema: Schema): readonly (readonly Step[])[] {
  const bare = [...schema.commands.values()].filter(
    ({ name, arguments: type, gen }) =>
      gen &&
      mayBeExecuted(name) &&
      !/^(quit|system_.*|migrate|migrate-incoming)$/.test(name) &&
      (type === undefined || schema.members(schema.types.get(type) as never).every(({ optional }) => optional)),
  );
  const queries = bare.filter(({ name }) => name.startsWith('query-')).map(({ name }) => [command(name)]);
  const deeds = bare
    .filter(({ name }) => !name.startsWith('query-'))
    .map(({ name }) => [command(name), command('query-status'), command('query-migrate')]);
  const needy = [
    command('migrate-continue', { state: 'pre-switchover' }),
    ...migrationStatuses.map((state) => command('migrate-continue', { state })),
    command('migrate-incoming', { uri: 'defer' }),
    command('migrate-recover', { uri: 'qmpspec:nothing' }),
    command('migrate', { uri: 'qmpspec:nothing', resume: true }),
    command('migrate_set_speed', { value: 1_000_000 }),
    command('query-migrate-parameters'),
    command('migrate_set_downtime', { value: 0.5 }),
    command('query-migrate-parameters'),
    command('migrate-set-cache-size', { value: 2 ** 20 }),
    command('query-migrate-cache-size'),
    command('query-migrate-parameters'),
    command('xen-set-replication', { enable: true, primary: true }),
    command('xen-set-replication', { enable: true, primary: true, failover: true }),
    command('client_migrate_info', { protocol: 'spice', hostname: 'qmpspec', port: 1 }),
    command('system_reset'),
    command('system_powerdown'),
    command('system_wakeup'),
    command('query-status'),
    command('human-monitor-command', { 'command-line': 'info status' }),
    // No descriptor comes with them, and there is none of that name.
    command('getfd', { fdname: 'qmpspec' }),
    command('closefd', { fdname: 'qmpspec' }),
    command('add-fd'),
    command('remove-fd', { 'fdset-id': 4711 }),
    // A file in the scratch folder; one that is not there; and a log that must not be left running.
    command('xen-save-devices-state', { filename: '{channel xen}' }),
    command('query-status'),
    command('xen-load-devices-state', { filename: '{channel none}' }),
    command('xen-set-global-dirty-log', { enable: true }),
    command('xen-set-global-dirty-log', { enable: false }),
    command('query-status'),
  ].filter(
    (step) => step.do === 'command' && (schema.commands.has(step.execute) || migrationCommands.has(step.execute)),
  );
  return [...queries, ...deeds, ...needy.map((step) => [step])];
}

/** Ids with letters that need no escape, and with characters that need one, in JSON. */
const [letters, controls] = ['"\\u0041\\u007e"', '"\\u0001\\t\\u001F"'];

/** What is no command, and what is not one yet. */
const refusals: readonly (readonly Step[])[] = [
  [
    command('qmpspec-none'),
    command('query-migrat'),
    command('query'),
    command('QUERY-MIGRATE'),
    command(' query-migrate '),
  ],
  [
    command('qmp_capabilities'),
    command('query-migrate', { id: 1 }),
    command('migrate', {}),
    command('migrate', { uri: 1 }),
  ],
  [
    { do: 'raw', at: 'source', bytes: '{"exec-oob":"query-migrate","id":"sweep-1"}\n' },
    { do: 'fence', at: 'source' },
    { do: 'raw', at: 'source', bytes: '{"exec-oob":"migrate-pause","id":"sweep-2"}\n' },
    { do: 'fence', at: 'source' },
    {
      do: 'raw',
      at: 'source',
      bytes: '{"execute":"migrate-set-parameters","arguments":{"tls-hostname":"\\u00e9\\"x"},"id":"\\u20ac"}\n',
    },
    { do: 'fence', at: 'source' },
    command('query-migrate-parameters'),
  ],
  [
    // More than a double keeps, more than a short text, digits that are no number, and ids that are seldom sent.
    {
      do: 'raw',
      at: 'source',
      bytes:
        '{"execute":"migrate-set-parameters","arguments":{"max-bandwidth":9007199254740993,"tls-hostname":"a name of some length that nobody has"},"id":"sweep-3"}\n',
    },
    { do: 'fence', at: 'source' },
    command('query-migrate-parameters'),
    command('migrate-set-parameters', { 'max-bandwidth': '12345' }),
    ...['null', 'true', '""', '[]', '0.5', '9223372036854775807', '-9223372036854775808', letters, controls].map(
      (id): Step => ({ do: 'raw', at: 'source', bytes: `{"execute":"query-status","id":${id}}\n` }),
    ),
    { do: 'fence', at: 'source' },
  ],
];

const known = new WeakMap<Schema, Map<Dialect, readonly Scenario[]>>();

/** All of them for a dialect and a target's own schema, in order. */
export function sweepsOf(dialect: Dialect, schema: Schema): readonly Scenario[] {
  const before = known.get(schema)?.get(dialect);
  if (before !== undefined) return before;
  const bundles: Step[][] = [[]];
  for (const part of parts(dialect, schema)) {
    const last = bundles.at(-1) as Step[];
    if (last.length > 0 && last.length + part.length > handful) bundles.push([...part]);
    else last.push(...part);
  }
  const all = bundles.map(
    (steps): Scenario => ({
      scenario: scenarioVersion,
      steps: [
        { do: 'start', at: 'source' },
        { do: 'connect', at: 'source' },
        command('migrate-set-capabilities', { capabilities: [{ capability: 'events', state: true }] }),
        ...steps,
        { do: 'fence', at: 'source' },
        command('query-migrate'),
      ],
    }),
  );
  const { first, last } = setPieces(dialect, schema);
  const whole = [...first, ...all, ...last];
  const own = known.get(schema) ?? new Map();
  known.set(schema, own.set(dialect, whole));
  return whole;
}

/** The scenario that a tape stands for: its first decision is the number of the sweep. */
export function sweep([number = 0]: readonly number[], dialect: Dialect, schema: Schema): Scenario {
  const all = sweepsOf(dialect, schema);
  return all[number % all.length] as Scenario;
}
