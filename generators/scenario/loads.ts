/**
 * Loads: streams of our own that a destination takes or must not take, with a look at what became of them: its answers on the
 * return path, its guest, and its memory, which it has to send on as it was told. A campaign begins with them, too.
 */
import type { Dialect } from '../../reference/dialects/dialect.js';
import {
  channelUri,
  type FeedPart,
  fedMemory,
  fedUuid,
  type Scenario,
  type Step,
  scenarioVersion,
} from '../../targets/scenario.js';
import type { StartOptions } from '../../targets/target.js';
import { Tape } from './tape.js';

const fed = channelUri('fed');

/** A destination that listens from the start, with these capabilities; `undefined` where the dialect cannot name them there. */
function listening(
  { migration }: Dialect,
  capabilities: readonly string[],
  { extra: arguments_ = [], ...more }: StartOptions = {},
): Step[] | undefined {
  const properties = Object.entries(migration.properties.capabilities);
  const extra = capabilities.flatMap((name) => {
    const property = properties.find(([, one]) => one === name)?.[0];
    return property === undefined ? [] : ['-global', `migration.${property}=on`];
  });
  if (extra.length < 2 * capabilities.length) return undefined;
  extra.push(...arguments_);
  const options = { memory: fedMemory, incoming: fed, ...(extra.length === 0 ? {} : { extra }), ...more };
  return [
    { do: 'start', at: 'destination', options },
    { do: 'connect', at: 'destination' },
  ];
}

const feed = (parts: readonly FeedPart[], channel = 'fed'): Step => ({ do: 'feed', channel, parts });
const command = (execute: string, args?: unknown): Step => ({
  do: 'command',
  at: 'destination',
  execute,
  ...(args === undefined ? {} : { arguments: args }),
});
const status = (...is: readonly string[]): Step => ({ do: 'status', at: 'destination', is, deadline: 1500 });
const ended = status('completed', 'failed', 'postcopy-paused');

/** What was loaded is sent on to a peer of ours, which knows what it should be. */
const onwards: readonly Step[] = [
  { do: 'peer', channel: 'on', behaviour: 'answer' },
  command('migrate', { uri: channelUri('on') }),
  status('completed', 'failed'),
];

const begin: readonly FeedPart[] = ['header', 'configuration'];
const end: readonly FeedPart[] = ['ram-end', 'end'];

/** A stream with these parts in its memory. */
const stream = (...memory: readonly FeedPart[]): FeedPart[] => [...begin, 'ram', ...memory, ...end];

interface Way {
  /** Where its streams can be read; everywhere when absent. */
  readonly where?: (dialect: Dialect) => boolean;
  readonly capabilities?: readonly string[];
  /** How it is started beside that. */
  readonly start?: StartOptions;
  readonly steps: readonly Step[];
}

const postcopy: readonly FeedPart[] = [...begin, 'return-path', 'advise', 'ram'];
const recovery = command('migrate-recover', { uri: channelUri('again') });

const all: readonly Way[] = [
  // What came is there, and is where it belongs.
  ...([['data'], ['data', 'pages'], ['data', 'delta']] as const).map(
    (memory): Way => ({ steps: [feed(stream(...memory)), ended, ...onwards] }),
  ),
  { steps: [feed(stream('data', 'filled')), ended, ...onwards] },
  { capabilities: ['compress'], steps: [feed(stream('data', 'compressed')), ended, ...onwards] },
  // What is malformed is refused.
  { steps: [feed(stream('data', 'bad-delta')), ended] },
  { steps: [feed(stream('compressed')), ended] },
  { capabilities: ['compress'], steps: [feed(stream('bad-compressed')), ended] },
  { steps: [feed([...begin, 'short-ram', ...end]), ended] },
  // A machine is known by its UUID, one without takes any.
  ...(
    [
      ['identity', fedUuid],
      ['other-identity', fedUuid],
      ['other-identity', undefined],
    ] as const
  ).map(
    ([part, uuid]): Way => ({
      ...(uuid === undefined ? {} : { start: { extra: ['-uuid', uuid] } }),
      steps: [feed(['header', part, 'ram', 'pages', ...end]), ended],
      where: ({ stream: { configurationSubsections } }) => configurationSubsections.includes('uuid'),
    }),
  ),
  // The guest goes on as it was.
  { steps: [feed([...begin, 'ram', 'pages', 'ram-end', 'stopped', 'end']), ended, command('query-status')] },
  // … or as its process was told to leave it, and tells when it goes on.
  { start: { paused: true }, steps: [feed(stream('pages')), ended, command('query-status')] },
  {
    steps: [
      command('migrate-set-capabilities', { capabilities: [{ capability: 'events', state: true }] }),
      feed(stream('pages')),
      ended,
      command('query-status'),
    ],
  },
  // Questions are answered, and the end is told.
  { steps: [feed([...begin, 'return-path', 'ping', 'ram', 'pages', 'ping', ...end]), ended] },
  // What is discarded comes again; what is there must not.
  {
    capabilities: ['postcopy-ram'],
    steps: [feed([...postcopy, 'data', 'discard', 'switch', 'rest', ...end]), ended, ...onwards],
  },
  { capabilities: ['postcopy-ram'], steps: [feed([...postcopy, 'discard', 'data', 'switch', 'data', ...end]), ended] },
  // A recovery asks what has come.
  ...([['recv-bitmap'], ['resume'], ['recv-bitmap', 'resume']] as const).map(
    (parts): Way => ({
      capabilities: ['postcopy-ram'],
      steps: [
        feed([...postcopy, 'discard', 'switch']),
        { do: 'cut', channel: 'fed' },
        status('postcopy-paused'),
        recovery,
        feed(parts, 'again'),
        command('query-migrate'),
      ],
    }),
  ),
];

const known = new WeakMap<Dialect, readonly Scenario[]>();

/** All of them that a dialect can be asked for. */
export function loadsOf(dialect: Dialect): readonly Scenario[] {
  const before = known.get(dialect);
  if (before !== undefined) return before;
  const loads = all.flatMap(({ capabilities = [], start: more, steps, where }): Scenario[] => {
    if (where?.(dialect) === false) return [];
    const start = listening(dialect, capabilities, more);
    return start === undefined ? [] : [{ scenario: scenarioVersion, steps: [...start, ...steps] }];
  });
  known.set(dialect, loads);
  return loads;
}

/** Bytes of a piece: few enough that a record comes in several, many enough that a stream is not all pieces. */
const pieces = { least: 64, beyond: 4096 } as const;

/** The scenario that a tape stands for: its first decision is the number of the load, the others cut its streams into pieces. */
export function load([number = 0, ...decisions]: readonly number[], dialect: Dialect): Scenario {
  const loads = loadsOf(dialect);
  const one = loads[number % loads.length] as Scenario;
  if (decisions.length === 0) return one;
  const tape = new Tape(decisions);
  const steps = one.steps.map((step) =>
    step.do === 'feed' && tape.chance(75) ? { ...step, every: pieces.least + tape.number(pieces.beyond) } : step,
  );
  return { ...one, steps };
}
