import { isObject, type JsonObject } from '../../protocol/json.js';
import { accepted, argumentsOf, returned, statusOf, success } from './ask.js';
import { type Lie, without } from './lie.js';

/** Changes the arguments of a command on its way. */
const sent =
  (name: string, change: (args: JsonObject) => JsonObject): NonNullable<Lie['up']> =>
  (command) =>
    command.execute === name ? { ...command, arguments: change(argumentsOf(command)) } : command;
const parameters = (change: (args: JsonObject) => JsonObject) => sent('migrate-set-parameters', change);
const withCapabilities = (change: (list: readonly JsonObject[]) => readonly JsonObject[]) =>
  sent('migrate-set-capabilities', (args) =>
    Array.isArray(args.capabilities) && args.capabilities.every(isObject)
      ? { ...args, capabilities: [...change(args.capabilities)] }
      : args,
  );

export const aboutSettings = {
  'capability-ignored': {
    says: 'takes auto-converge and does not switch it on',
    up: withCapabilities((list) => list.filter(({ capability }) => capability !== 'auto-converge')),
  },
  'capability-never-off': {
    says: 'does not switch capabilities off',
    up: withCapabilities((list) => list.filter(({ state }) => state !== false)),
  },
  'capability-brings-another': {
    says: 'switches release-ram on together with zero-blocks',
    up: withCapabilities((list) =>
      list.flatMap((one) => (one.capability === 'zero-blocks' ? [one, { ...one, capability: 'release-ram' }] : [one])),
    ),
  },
  'capability-shown-inverted': {
    says: 'shows zero-blocks on when it is off',
    down: returned<readonly JsonObject[]>('query-migrate-capabilities', (list) =>
      list.map((one) => (one.capability === 'zero-blocks' ? { ...one, state: one.state !== true } : one)),
    ),
  },
  'capabilities-lost-at-the-end': {
    says: 'switches capability xbzrle off when a migration has completed',
    down: (message, { ask }) => {
      if (statusOf(message) === 'completed')
        ask({
          execute: 'migrate-set-capabilities',
          arguments: { capabilities: [{ capability: 'xbzrle', state: false }] },
        });
      return [message];
    },
  },
  'capabilities-while-migrating': {
    says: 'takes capabilities while it migrates',
    down: accepted('migrate-set-capabilities', 'in progress'),
  },
  'capabilities-return-them': {
    says: 'returns the capabilities that were set',
    down: (message, { command }) => [
      command?.execute === 'migrate-set-capabilities' && 'return' in message
        ? { ...message, return: argumentsOf(command).capabilities ?? [] }
        : message,
    ],
  },
  'parameter-off-by-one': {
    says: 'sets max-bandwidth to one byte more',
    up: parameters((args) =>
      typeof args['max-bandwidth'] === 'number' && args['max-bandwidth'] > 0
        ? { ...args, 'max-bandwidth': args['max-bandwidth'] + 1 }
        : args,
    ),
  },
  'parameter-in-megabytes': {
    says: 'keeps max-bandwidth in MiB',
    down: returned<JsonObject>('query-migrate-parameters', (value) => ({
      ...value,
      'max-bandwidth': Math.floor(Number(value['max-bandwidth']) / 2 ** 20) * 2 ** 20,
    })),
  },
  'parameter-brings-another': {
    says: 'sets cpu-throttle-increment together with cpu-throttle-initial',
    up: parameters((args) =>
      typeof args['cpu-throttle-initial'] === 'number'
        ? { ...args, 'cpu-throttle-increment': args['cpu-throttle-initial'] }
        : args,
    ),
  },
  'parameter-never-emptied': {
    says: 'does not empty tls-hostname again',
    up: parameters((args) => (args['tls-hostname'] === '' ? without(args, 'tls-hostname') : args)),
  },
  'parameter-first-only': {
    says: 'sets the first of several parameters',
    up: parameters((args) => Object.fromEntries(Object.entries(args).slice(0, 1))),
  },
  'parameters-lost-at-reconnect': {
    says: 'forgets downtime-limit when its client leaves',
    down: (message, { ask, command, memory }) => {
      if (command?.execute === 'qmp_capabilities' && 'return' in message && !memory.has('begun')) {
        memory.set('begun', true);
        ask({ execute: 'migrate-set-parameters', arguments: { 'downtime-limit': 300 } });
      }
      return [message];
    },
  },
  'parameters-lost-at-the-end': {
    says: 'forgets downtime-limit when a migration has completed',
    down: (message, { ask }) => {
      if (statusOf(message) === 'completed')
        ask({ execute: 'migrate-set-parameters', arguments: { 'downtime-limit': 300 } });
      return [message];
    },
  },
  'parameters-while-migrating-ignored': {
    says: 'takes parameters while it migrates and does not set them',
    up: (command, { shared, say }) => {
      if (command.execute !== 'migrate-set-parameters' || shared.get('migrates') !== true) return command;
      say(success(command));
      return undefined;
    },
    down: (message, { shared }) => {
      const said = statusOf(message);
      if (said !== undefined) shared.set('migrates', said !== 'completed' && said !== 'failed' && said !== 'cancelled');
      return [message];
    },
  },
  'range-error-class': {
    says: 'tells values out of range as DeviceNotFound',
    down: (message, { command }) => [
      command?.execute === 'migrate-set-parameters' && isObject(message.error)
        ? { ...message, error: { ...message.error, class: 'DeviceNotFound' } }
        : message,
    ],
  },
  'cache-size-rounded': {
    says: 'takes cache sizes that are no power of two',
    up: parameters((args) => {
      const size = args['xbzrle-cache-size'];
      return typeof size === 'number' && size > 4096
        ? { ...args, 'xbzrle-cache-size': 2 ** Math.floor(Math.log2(size)) }
        : args;
    }),
  },
  'parameters-return-them': {
    says: 'returns the parameters that were set',
    down: (message, { command }) => [
      command?.execute === 'migrate-set-parameters' && 'return' in message
        ? { ...message, return: argumentsOf(command) }
        : message,
    ],
  },
} satisfies Record<string, Lie>;
