import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import { accepted, returned, status, statusOf } from './ask.js';
import { type Lie, without } from './lie.js';

const renamed = (from: string, to: string) =>
  status((value) => (value.status === from ? { ...value, status: to } : value));
const states = (change: (value: JsonObject) => JsonObject) => returned('query-status', change);
const list = (query: string, change: (value: readonly JsonObject[]) => JsonValue) =>
  returned<readonly JsonObject[]>(query, change);

export const aboutResults = {
  'status-lags': {
    says: 'answers query-migrate with what was so when it was asked before',
    down: (message, { command, shared }) => {
      if (command?.execute !== 'query-migrate' || !('return' in message)) return [message];
      const before = shared.get('before') ?? message.return;
      shared.set('before', message.return);
      return [{ ...message, return: before as JsonValue }];
    },
  },
  'status-active-for-ever': { says: 'shows a completed migration as active', down: renamed('completed', 'active') },
  'status-completed-early': { says: 'shows an active migration as completed', down: renamed('active', 'completed') },
  'status-cancelled-as-failed': { says: 'shows a cancel as a failure', down: renamed('cancelled', 'failed') },
  'status-failed-as-cancelled': { says: 'shows a failure as a cancel', down: renamed('failed', 'cancelled') },
  'status-setup-as-active': { says: 'shows the set-up as active', down: renamed('setup', 'active') },
  'status-pause-as-active': { says: 'shows its pause as active', down: renamed('pre-switchover', 'active') },
  'status-postcopy-as-active': { says: 'shows postcopy as active', down: renamed('postcopy-active', 'active') },
  'status-missing-at-destination': {
    says: 'shows nothing at the destination',
    down: (message, talk) => (talk.incoming ? status(() => ({}))(message, talk) : [message]),
  },
  'statistics-at-destination': {
    says: 'shows statistics of RAM at the destination',
    down: (message, talk) =>
      talk.incoming
        ? status((value) =>
            value.status === 'completed' ? { ...value, ram: { transferred: 0, remaining: 0, total: 0 } } : value,
          )(message, talk)
        : [message],
  },
  'cancelled-forgotten': {
    says: 'forgets a cancelled migration',
    down: status((value) => (value.status === 'cancelled' ? {} : value)),
  },
  'state-postmigrate-as-paused': {
    says: 'shows a source that has migrated as paused',
    down: states((value) => (value.status === 'postmigrate' ? { ...value, status: 'paused' } : value)),
  },
  'state-inmigrate-as-running': {
    says: 'shows a destination that waits as running',
    down: states((value) => (value.status === 'inmigrate' ? { ...value, status: 'running', running: true } : value)),
  },
  'state-finish-as-running': {
    says: 'shows a source at its switch-over as running',
    down: states((value) =>
      value.status === 'finish-migrate' ? { ...value, status: 'running', running: true } : value,
    ),
  },
  'state-prelaunch-as-paused': {
    says: 'shows a guest that never ran as paused',
    down: states((value) => (value.status === 'prelaunch' ? { ...value, status: 'paused' } : value)),
  },
  'state-member-lost': { says: 'does not show whether it runs', down: states((value) => without(value, 'running')) },
  'commands-unlisted': {
    says: 'does not list a command that it has',
    down: list('query-commands', (value) => value.filter(({ name }) => name !== 'migrate_cancel')),
  },
  'commands-invented': {
    says: 'lists a command that it has not',
    down: list('query-commands', (value) => [...value, { name: 'qmpspec-unknown' }]),
  },
  'schema-command-lost': {
    says: 'leaves a command out of its schema',
    down: list('query-qmp-schema', (value) =>
      value.filter((one) => one['meta-type'] !== 'command' || one.name !== 'migrate_cancel'),
    ),
  },
  'schema-event-lost': {
    says: 'leaves an event out of its schema',
    down: list('query-qmp-schema', (value) =>
      value.filter((one) => one['meta-type'] !== 'event' || one.name !== 'MIGRATION_PASS'),
    ),
  },
  'schema-argument-lost': {
    says: 'leaves arguments of migrate-set-parameters out of its schema',
    down: list('query-qmp-schema', (value) => {
      const type = value.find(({ name }) => name === 'migrate-set-parameters')?.['arg-type'];
      return value.map((one) =>
        one.name === type && Array.isArray(one.members)
          ? { ...one, members: (one.members as JsonObject[]).filter(({ name }) => name !== 'downtime-limit') }
          : one,
      );
    }),
  },
  'schema-value-lost': {
    says: 'leaves a value of an enum out of its schema',
    down: list('query-qmp-schema', (value) =>
      value.map((one) =>
        Array.isArray(one.values) && one.values.includes('pre-switchover')
          ? { ...one, values: one.values.filter((name) => name !== 'pre-switchover') }
          : one,
      ),
    ),
  },
  'second-migrate-accepted': {
    says: 'takes a second migrate while it migrates',
    down: accepted('migrate', 'in progress'),
  },
  'postcopy-without-capability': {
    says: 'takes migrate-start-postcopy without the capability',
    down: accepted('migrate-start-postcopy'),
  },
  'recover-anywhere': { says: 'takes migrate-recover in any state', down: accepted('migrate-recover') },
  'pause-anywhere': { says: 'takes migrate-pause in any state', down: accepted('migrate-pause') },
  'incoming-anywhere': { says: 'takes migrate-incoming where nothing is expected', down: accepted('migrate-incoming') },
  'cont-of-a-destination-refused': {
    says: 'refuses cont while it waits for a migration',
    down: (message, { command, incoming, shared }) => {
      if (statusOf(message) === 'completed') shared.set('arrived', true);
      const refuses = incoming && !shared.has('arrived') && command?.execute === 'cont' && 'return' in message;
      if (!refuses) return [message];
      const { id } = message;
      const error = { class: 'GenericError', desc: 'Expecting a migration' };
      return [{ error, ...(id === undefined ? {} : { id }) }];
    },
  },
  'errors-after-migrate': {
    says: 'takes a migration over a descriptor that it does not have',
    down: accepted('migrate', 'escriptor'),
  },
  'migrate-answered-at-the-end': {
    says: 'answers migrate when all is over',
    down: (message, { command, memory }) => {
      if (command?.execute === 'migrate' && 'return' in message) {
        memory.set('reply', message);
        return [];
      }
      const reply = memory.get('reply') as JsonObject | undefined;
      const over = ['completed', 'failed', 'cancelled'].includes(String(statusOf(message)));
      if (reply === undefined || !over) return [message];
      memory.delete('reply');
      return [message, reply];
    },
  },
  'error-class-lower-case': {
    says: 'writes the class of errors in small letters',
    down: (message) => [
      isObject(message.error)
        ? { ...message, error: { ...message.error, class: String(message.error.class).toLowerCase() } }
        : message,
    ],
  },
  'error-desc-null': {
    says: 'describes errors with null',
    down: (message) => [isObject(message.error) ? { ...message, error: { ...message.error, desc: null } } : message],
  },
  'error-without-class': {
    says: 'tells errors without their class',
    down: (message) => [isObject(message.error) ? { ...message, error: without(message.error, 'class') } : message],
  },
  'long-ids-cut': {
    says: 'cuts long ids off',
    down: (message) => [
      typeof message.id === 'string' && message.id.length > 100
        ? { ...message, id: message.id.slice(0, 100) }
        : message,
    ],
  },
  'id-objects-reordered': {
    says: 'gives an id that is an object back as a list',
    down: (message) => [isObject(message.id) ? { ...message, id: Object.values(message.id) } : message],
  },
  'oob-in-band': {
    says: 'carries out-of-band commands out in their turn',
    up: (command) => {
      const { 'exec-oob': name, ...rest } = command;
      return name === undefined ? command : { execute: name, ...rest };
    },
  },
  'oob-for-everything': {
    says: 'takes any command out of band',
    up: (command) => {
      const { 'exec-oob': name, ...rest } = command;
      return typeof name !== 'string' || name.startsWith('migrate-') ? command : { execute: name, ...rest };
    },
  },
} satisfies Record<string, Lie>;
