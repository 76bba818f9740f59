/** The state that a process begins in, from how it was started. */
import { isObject, type JsonObject } from '../protocol/json.js';
import type { Dialect } from '../reference/dialects/dialect.js';
import type { PropertyRules } from '../reference/dialects/migration-properties.js';
import { initialState, internal, type ModelState } from '../reference/model/index.js';
import { idleOutgoing, type Outgoing } from '../reference/model/state.js';
import type { Settings } from '../targets/settings.js';
import type { StartOptions } from '../targets/target.js';

/** All ways that a process may have been started, for one of which nothing is known. */
export const anyStart: readonly StartOptions[] = [
  {},
  { paused: true },
  { incoming: 'defer' },
  { incoming: 'defer', paused: true },
  { incoming: 'unix:' },
  { incoming: 'unix:', paused: true },
];

/** The text of a `started` entry: JSON of the start options. */
export function parseStart(text: string): StartOptions {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as StartOptions) : {};
  } catch {
    return {};
  }
}

const originOf = ({ incoming }: StartOptions): 'none' | 'defer' | 'uri' =>
  incoming === undefined ? 'none' : incoming === 'defer' ? 'defer' : 'uri';

function modelStart(start: StartOptions, { migration }: Dialect): ModelState {
  const state = initialState(migration, { incoming: originOf(start), paused: start.paused ?? false });
  const on = switchedOn(start, migration.properties);
  return on.length === 0 ? state : { ...state, capabilities: migration.capabilities.filter((one) => on.includes(one)) };
}

/** Capabilities that the command line switches on: `-global migration.x-postcopy-ram=on`. */
function switchedOn({ extra = [] }: StartOptions, { capabilities }: PropertyRules): readonly string[] {
  return extra.flatMap((word, i) => {
    const [, property = ''] = extra[i - 1] === '-global' ? (/^migration\.([^=]+)=on$/.exec(word) ?? []) : [];
    return capabilities[property] ?? [];
  });
}

/** The target's own values for what the model knows by name. */
function withSettings(state: ModelState, settings: Settings | undefined): ModelState {
  if (settings === undefined) return state;
  const parameters = { ...state.parameters };
  for (const [name, value] of Object.entries(settings.parameters)) {
    if (!(name in parameters)) continue;
    if (typeof value === 'number' || typeof value === 'bigint') parameters[name] = String(value);
    else if (typeof value === 'string' || typeof value === 'boolean') parameters[name] = value;
  }
  const on = settings.capabilities.filter((one) => isObject(one) && one.state === true);
  const names = on.map((one) => String((one as JsonObject).capability));
  // What this one's command line switches on comes to what is on in all.
  return { ...state, parameters, capabilities: [...new Set([...names, ...state.capabilities])] };
}

/** Where processes begin that no settings are known of, by what of their start the model knows. */
const beginnings = new WeakMap<Dialect, Map<string, readonly ModelState[]>>();

/** Every state that a process may be in when somebody connects to its monitor. */
export function firstStates(
  start: StartOptions,
  dialect: Dialect,
  settings: Settings | undefined,
): readonly ModelState[] {
  if (settings !== undefined) return computeFirst(start, dialect, settings);
  const known = beginnings.get(dialect) ?? new Map<string, readonly ModelState[]>();
  beginnings.set(dialect, known);
  const key = `${originOf(start)} ${start.paused ?? false} ${start.extra?.join(' ') ?? ''}`;
  let states = known.get(key);
  if (states === undefined) {
    states = computeFirst(start, dialect, settings);
    known.set(key, states);
  }
  return states;
}

function computeFirst(start: StartOptions, dialect: Dialect, settings: Settings | undefined): readonly ModelState[] {
  const state = withSettings(modelStart(start, dialect), settings);
  // Whether it listens by the time that somebody connects to the monitor is not known.
  const listening = internal(state, dialect.migration).filter(({ label }) => label === 'listening');
  return [state, ...listening.map(({ next }) => next)];
}

/** Outcomes of a migration after which a process is used again. */
const outcomes: readonly Pick<Outgoing, 'status' | 'error'>[] = [
  { status: 'completed', error: null },
  { status: 'cancelled', error: null },
  // Not every failure has a text.
  { status: 'failed', error: null },
  { status: 'failed', error: '*' },
];

/** The state of a process that was put back to it, whatever it may have migrated before. */
export const afterMigrations = (state: ModelState): ModelState[] => [
  state,
  ...outcomes.map((outcome) => ({ ...state, out: { ...idleOutgoing, ...outcome } })),
];
