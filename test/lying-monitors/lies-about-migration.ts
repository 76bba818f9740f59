import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import { type Lie, timestamp, without } from './lie.js';

const descOf = (message: JsonObject): string => (isObject(message.error) ? String(message.error.desc) : '');
const success = (message: JsonObject): JsonObject => ({
  return: {},
  ...('id' in message ? { id: message.id as JsonValue } : {}),
});
const argumentsOf = (command: JsonObject | undefined): JsonObject =>
  isObject(command?.arguments) ? command.arguments : {};
/** Changes what a query returns. */
const returned =
  <T extends JsonValue>(query: string, change: (value: T) => JsonValue): NonNullable<Lie['down']> =>
  (message, { command }) =>
    command?.execute === query && 'return' in message
      ? [{ ...message, return: change(message.return as T) }]
      : [message];
const parameters = (change: (value: JsonObject) => JsonValue) => returned('query-migrate-parameters', change);
const capabilities = (change: (value: readonly JsonObject[]) => JsonValue) =>
  returned<readonly JsonObject[]>('query-migrate-capabilities', change);
const status = (change: (value: JsonObject) => JsonValue) => returned('query-migrate', change);

export const aboutMigration = {
  'parameter-lost': {
    says: 'forgets downtime-limit when it is set',
    up: (command) =>
      command.execute === 'migrate-set-parameters'
        ? { ...command, arguments: without(argumentsOf(command), 'downtime-limit') }
        : command,
  },
  'parameter-clamped': {
    says: 'moves values that are out of range into it',
    down: (message, { command }) => [
      command?.execute === 'migrate-set-parameters' && descOf(message).includes('expects') ? success(message) : message,
    ],
  },
  'parameters-partly-set': {
    says: 'sets what it can of a refused migrate-set-parameters',
    down: (message, { command, ask }) => {
      if (command?.execute === 'migrate-set-parameters' && 'error' in message) {
        for (const [name, value] of Object.entries(argumentsOf(command))) {
          ask({ execute: 'migrate-set-parameters', arguments: { [name]: value } });
        }
      }
      return [message];
    },
  },
  'default-wrong': {
    says: 'has a default of its own for downtime-limit',
    down: parameters((value) => ({ ...value, ...(value['downtime-limit'] === 300 ? { 'downtime-limit': 301 } : {}) })),
  },
  'parameter-hidden': {
    says: 'does not show max-bandwidth',
    down: parameters((value) => without(value, 'max-bandwidth')),
  },
  'parameter-hostname-hidden': {
    says: 'does not show tls-hostname',
    down: parameters((value) => without(value, 'tls-hostname')),
  },
  'parameter-as-string': {
    says: 'shows downtime-limit as a string',
    down: parameters((value) => ({ ...value, 'downtime-limit': String(value['downtime-limit']) })),
  },
  'parameter-unknown-shown': {
    says: 'shows a parameter that its schema does not have',
    down: parameters((value) => ({ ...value, 'qmpspec-unknown': 1 })),
  },
  'capabilities-reversed': {
    says: 'lists capabilities in another order',
    down: capabilities((list) => [...list].reverse()),
  },
  'capability-twice': {
    says: 'lists a capability twice',
    down: capabilities((list) => [...list, list[0] as JsonObject]),
  },
  'capability-missing': {
    says: 'does not list auto-converge',
    down: capabilities((list) => list.filter(({ capability }) => capability !== 'auto-converge')),
  },
  'capability-state-number': {
    says: 'shows states of capabilities as numbers',
    down: capabilities((list) => list.map((one) => ({ ...one, state: one.state === true ? 1 : 0 }))),
  },
  'capabilities-partly-set': {
    says: 'sets the first capability of a list that it refuses',
    down: (message, { command, ask }) => {
      const { capabilities: list } = argumentsOf(command);
      if (command?.execute === 'migrate-set-capabilities' && 'error' in message && Array.isArray(list)) {
        ask({ execute: 'migrate-set-capabilities', arguments: { capabilities: list.slice(0, 1) } });
      }
      return [message];
    },
  },
  'capabilities-first-wins': {
    says: 'takes the first of several entries for a capability',
    up: (command) => {
      const { capabilities: list } = argumentsOf(command);
      if (command.execute !== 'migrate-set-capabilities' || !Array.isArray(list)) return command;
      return { ...command, arguments: { ...argumentsOf(command), capabilities: [...list].reverse() } };
    },
  },
  'capability-event': {
    says: 'announces that capabilities were set',
    down: (message, { command }) =>
      command?.execute === 'migrate-set-capabilities' && 'return' in message
        ? [{ event: 'MIGRATION', data: { status: 'none' }, timestamp: timestamp() }, message]
        : [message],
  },
  'status-none': {
    says: 'shows a status before any migration',
    down: status((value) => ('status' in value ? value : { status: 'none', ...value })),
  },
  'status-empty-after-failure': {
    says: 'forgets a failed migration',
    down: status((value) => (value.status === 'failed' ? {} : value)),
  },
  'error-desc-missing': {
    says: 'does not say why a migration failed',
    down: status((value) => without(value, 'error-desc')),
  },
  'ram-remaining-float': {
    says: 'shows remaining RAM as a fraction',
    down: status((value) => (isObject(value.ram) ? { ...value, ram: { ...value.ram, remaining: 0.5 } } : value)),
  },
  'ram-normal-bytes-wrong': {
    says: 'counts normal-bytes in another unit than pages',
    down: status((value) =>
      isObject(value.ram)
        ? { ...value, ram: { ...value.ram, 'normal-bytes': Number(value.ram['normal-bytes']) + 1 } }
        : value,
    ),
  },
  'total-time-growing': {
    says: 'goes on counting after the end',
    down: status((value) => ('total-time' in value ? { ...value, 'total-time': Date.now() % 1e9 } : value)),
  },
  'cancel-refused': {
    says: 'refuses migrate_cancel when there is nothing to cancel',
    down: (message, { command }) =>
      command?.execute === 'migrate_cancel'
        ? [{ error: { class: 'GenericError', desc: 'nothing to cancel' }, id: (message.id ?? null) as JsonValue }]
        : [message],
  },
  'continue-anything': {
    says: 'lets migrate-continue pass in any state',
    down: (message, { command }) => [
      command?.execute === 'migrate-continue' && 'error' in message ? success(message) : message,
    ],
  },
  'bad-uri-accepted': {
    says: 'takes any URI',
    down: (message, { command }) => [
      command?.execute === 'migrate' && /valid migration protocol|unknown migration protocol/.test(descOf(message))
        ? success(message)
        : message,
    ],
  },
} satisfies Record<string, Lie>;
