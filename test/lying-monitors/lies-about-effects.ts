import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import { argumentsOf } from './ask.js';
import type { Lie } from './lie.js';

/** Takes what is set, shows it, and does without it: the monitor itself gets it undone at once. */
function remembered(
  sets: string,
  query: string,
  undo: JsonObject,
  wish: (args: JsonObject) => JsonValue | undefined,
  shown: (value: JsonValue, wished: JsonValue) => JsonValue,
): NonNullable<Lie['down']> {
  return (message, { command, ask, shared }) => {
    if (!('return' in message)) return [message];
    const key = `wished ${JSON.stringify(undo)}`;
    if (command?.execute === sets) {
      const wished = wish(argumentsOf(command));
      if (wished !== undefined) {
        shared.set(key, wished);
        ask({ execute: sets, arguments: undo });
      }
    }
    const wished = shared.get(key) as JsonValue | undefined;
    if (command?.execute !== query || wished === undefined) return [message];
    return [{ ...message, return: shown(message.return as JsonValue, wished) }];
  };
}

/** What few releases have, and settings of the throttle: few guests are throttled. */
const alone = (name: string): Pick<Lie, 'alone'> =>
  /throttle|auto-converge|^compress$|^block$|zero-blocks/.test(name) ? { alone: true } : {};

const withoutCapability = (name: string): Lie => ({
  ...alone(name),
  says: `takes capability ${name}, shows it, and does without`,
  down: remembered(
    'migrate-set-capabilities',
    'query-migrate-capabilities',
    { capabilities: [{ capability: name, state: false }] },
    ({ capabilities }) =>
      (Array.isArray(capabilities) ? capabilities : [])
        .filter(isObject)
        .findLast(({ capability }) => capability === name)?.state,
    (list, state) => (list as readonly JsonObject[]).map((one) => (one.capability === name ? { ...one, state } : one)),
  ),
});

const withoutParameter = (name: string, usual: JsonValue): Lie => ({
  ...alone(name),
  says: `takes parameter ${name}, shows it, and does without`,
  down: remembered(
    'migrate-set-parameters',
    'query-migrate-parameters',
    { [name]: usual },
    (args) => args[name],
    (value, wished) => ({ ...(value as JsonObject), [name]: wished }),
  ),
});

/** Values of 7.2 and 10.0 where a parameter is left alone. */
const usual: Readonly<Record<string, JsonValue>> = {
  'max-bandwidth': 134_217_728,
  'downtime-limit': 300,
  'xbzrle-cache-size': 67_108_864,
  'max-postcopy-bandwidth': 0,
  'multifd-channels': 2,
  'cpu-throttle-initial': 20,
  'cpu-throttle-increment': 10,
  'max-cpu-throttle': 99,
  'tls-creds': '',
};

const capabilities = [
  'xbzrle',
  'auto-converge',
  'compress',
  'events',
  'postcopy-ram',
  'x-colo',
  'release-ram',
  'block',
  'return-path',
  'pause-before-switchover',
  'multifd',
  'dirty-bitmaps',
  'zero-blocks',
] as const;

export const aboutEffects: Readonly<Record<string, Lie>> = {
  ...Object.fromEntries(capabilities.map((name) => [`without-${name}`, withoutCapability(name)])),
  ...Object.fromEntries(
    Object.entries(usual).map(([name, value]) => [`without-${name}`, withoutParameter(name, value)]),
  ),
};
