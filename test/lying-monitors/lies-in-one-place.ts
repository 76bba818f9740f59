/** Lies that are told in one place only: on the second monitor, in one state, of one migration behind another. */
import { isObject, type JsonObject } from '../../protocol/json.js';
import { argumentsOf, ram, returned, status, statusOf } from './ask.js';
import { type Lie, without } from './lie.js';
import { messages } from './lies-about-the-way-back.js';

const refusal = ({ id }: JsonObject): JsonObject => ({
  error: { class: 'GenericError', desc: 'Not now' },
  ...(id === undefined ? {} : { id }),
});

/** Refuses to continue from a state that the migration is in. */
const refusedIn = (state: string): Lie => ({
  says: `refuses a migrate-continue that names ${state}, where that is the state`,
  down: (message, { command }) => [
    command?.execute === 'migrate-continue' && argumentsOf(command).state === state && 'return' in message
      ? refusal(message)
      : message,
  ],
});

/** What a figure came to in earlier migrations, as far as they were asked for it, is added to it. */
const countedOn =
  (name: string): NonNullable<Lie['down']> =>
  (message, talk) => {
    const [before, last] = ['before', 'last'].map((key) => Number(talk.shared.get(key) ?? 0)) as [number, number];
    if (statusOf(message) === 'setup') {
      talk.shared.set('before', before + last);
      talk.shared.set('last', 0);
    }
    return ram((value) => {
      if (!(name in value)) return value;
      talk.shared.set('last', Number(value[name]));
      return { ...value, [name]: Number(value[name]) + before };
    })(message, talk);
  };

/** In another size; what has one of a page only is left alone. */
const halved = (value: JsonObject, name: string, factor: number): JsonObject =>
  typeof value[name] === 'number' && value[name] >= 8192 ? { ...value, [name]: value[name] * factor } : value;
const pong = 2;

export const inOnePlace = {
  'second-monitor-shows-the-first-state': {
    says: 'shows on its second monitor for ever the run state that it showed there first',
    down: (message, talk) =>
      returned<JsonObject>('query-status', (value) => {
        if (talk.monitor === 0) return value;
        const first = (talk.shared.get('first state') as JsonObject | undefined) ?? value;
        talk.shared.set('first state', first);
        return first;
      })(message, talk),
  },
  'second-monitor-shows-no-migration': {
    says: 'shows on its second monitor that nothing was ever migrated',
    down: (message, talk) => status((value) => (talk.monitor > 0 ? {} : value))(message, talk),
  },
  'continue-refused-while-active': refusedIn('active'),
  'continue-refused-when-completed': refusedIn('completed'),
  'postcopy-asked-for-before': {
    says: 'switches to postcopy because that was asked for before the migration began',
    down: (message, { command, ask, shared }) => {
      if ('return' in message && command?.execute === 'migrate-start-postcopy') shared.set('asked', true);
      if ('return' in message && command?.execute === 'migrate' && shared.get('asked') === true)
        ask({ execute: 'migrate-start-postcopy' });
      return [message];
    },
  },
  'all-goes-before-the-downtime': {
    says: 'counts as sent before the downtime what was sent in it, too',
    down: ram((value) =>
      'downtime-bytes' in value
        ? {
            ...value,
            'precopy-bytes': Number(value['precopy-bytes']) + Number(value['downtime-bytes']),
            'downtime-bytes': 0,
          }
        : value,
    ),
  },
  'passes-stamped-as-the-first': {
    says: 'stamps each pass as it did the first one',
    down: (message, { shared }) => {
      if (message.event !== 'MIGRATION_PASS' || !isObject(message.timestamp)) return [message];
      const first = (shared.get('first pass') as JsonObject | undefined) ?? message.timestamp;
      shared.set('first pass', first);
      return [{ ...message, timestamp: first }];
    },
  },
  'cache-of-half': {
    says: 'makes the cache of XBZRLE half as large as it was told to, and shows it whole',
    up: (command) =>
      command.execute === 'migrate-set-parameters'
        ? { ...command, arguments: halved(argumentsOf(command), 'xbzrle-cache-size', 0.5) }
        : command,
    down: (message, { command }) => {
      const { return: value } = message;
      if (!isObject(value)) return [message];
      if (command?.execute === 'query-migrate-parameters')
        return [{ ...message, return: halved(value, 'xbzrle-cache-size', 2) }];
      const cache = command?.execute === 'query-migrate' ? value['xbzrle-cache'] : undefined;
      if (!isObject(cache)) return [message];
      return [{ ...message, return: { ...value, 'xbzrle-cache': halved(cache, 'cache-size', 2) } }];
    },
  },
  'fourth-pong-lost': {
    says: 'does not answer the ping of number 4',
    answering: messages((type, message) => (type === pong && message.at(-1) === 4 ? Buffer.alloc(0) : message)),
  },
  'syncs-counted-on': {
    says: 'counts its looks for dirty pages on in the next migration',
    down: countedOn('dirty-sync-count'),
  },
  'downtime-bytes-counted-on': {
    says: 'counts on in the next migration what it sends while the guest is stopped',
    down: countedOn('downtime-bytes'),
  },
  'figures-gone-after-a-while': {
    says: 'shows no figures of RAM any more three tenths of a second after it has completed',
    down: (message, talk) =>
      status((value) => {
        const { shared } = talk;
        if (value.status !== 'completed' || !isObject(value.ram)) return value;
        if (!shared.has('completed')) talk.after(300, () => shared.set('gone', true));
        shared.set('completed', true);
        return shared.has('gone') ? without(value, 'ram') : value;
      })(message, talk),
  },
  'downtime-expected-as-by-default': {
    says: 'expects the downtime that is the default of its limit, whatever the limit is',
    down: status((value) => ('expected-downtime' in value ? { ...value, 'expected-downtime': 300 } : value)),
  },
  'migration-of-a-moment-ago': {
    says: 'shows of a migration what there was when it was asked up to five milliseconds ago',
    down: (message, talk) =>
      status((value) => {
        const { shared } = talk;
        const lately = shared.get('lately') as JsonObject | undefined;
        if (lately !== undefined) return lately;
        shared.set('lately', value);
        talk.after(5, () => shared.delete('lately'));
        return value;
      })(message, talk),
  },
} satisfies Record<string, Lie>;
