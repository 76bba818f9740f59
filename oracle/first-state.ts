/** The state that a process begins in, from how it was started. */
import { isObject, type JsonObject } from '../protocol/json.js';
import type { Dialect } from '../reference/dialects/dialect.js';
import { initialState, type ModelState } from '../reference/model/index.js';
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

export function modelStart({ incoming, paused }: StartOptions, dialect: Dialect): ModelState {
  return initialState(dialect.migration, {
    incoming: incoming === undefined ? 'none' : incoming === 'defer' ? 'defer' : 'uri',
    paused: paused ?? false,
  });
}

/** The target's own values for what the model knows by name. */
export function withSettings(state: ModelState, settings: Settings | undefined): ModelState {
  if (settings === undefined) return state;
  const parameters = { ...state.parameters };
  for (const [name, value] of Object.entries(settings.parameters)) {
    if (!(name in parameters)) continue;
    if (typeof value === 'number' || typeof value === 'bigint') parameters[name] = String(value);
    else if (typeof value === 'string' || typeof value === 'boolean') parameters[name] = value;
  }
  const on = settings.capabilities.filter((one) => isObject(one) && one.state === true);
  return { ...state, parameters, capabilities: on.map((one) => String((one as JsonObject).capability)) };
}
