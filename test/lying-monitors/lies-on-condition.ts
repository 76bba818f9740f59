/** Lies that are told on a condition: behind a failure, to a later client, about an odd id, when something else is set as well. */
import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import { argumentsOf, ram, returned, status } from './ask.js';
import { type Lie, without } from './lie.js';

const parametersOf = (command: JsonObject | undefined): JsonObject | undefined =>
  command?.execute === 'migrate-set-parameters' ? argumentsOf(command) : undefined;

/** Changes an id, however deep. */
const ids =
  (change: (id: JsonValue, depth: number) => JsonValue): NonNullable<Lie['down']> =>
  (message) => {
    const deep = (value: JsonValue, depth: number): JsonValue => {
      const changed = change(value, depth);
      if (Array.isArray(changed)) return changed.map((item) => deep(item, depth + 1));
      if (!isObject(changed)) return changed;
      return Object.fromEntries(Object.entries(changed).map(([name, member]) => [name, deep(member, depth + 1)]));
    };
    return [message.id === undefined ? message : { ...message, id: deep(message.id, 0) }];
  };

/** Sets something more whenever this is set. */
const drags = (name: string, more: JsonObject): NonNullable<Lie['up']> => {
  return (command) => {
    const given = parametersOf(command);
    return given?.[name] === undefined ? command : { ...command, arguments: { ...more, ...given } };
  };
};

export const onCondition = {
  'id-of-a-failure-left-over': {
    says: 'gives the id of a command that failed to the next one that has none',
    down: (message, { memory }) => {
      const left = memory.get('left') as JsonValue | undefined;
      memory.set('left', 'error' in message ? message.id : undefined);
      return [
        left !== undefined && 'return' in message && message.id === undefined ? { ...message, id: left } : message,
      ];
    },
  },
  'deep-ids-emptied': {
    says: 'empties what stands deeper than five levels in an id',
    down: ids((id, depth) => (depth > 5 && Array.isArray(id) ? [] : id)),
  },
  'nulls-lost-in-ids': {
    says: 'leaves out what is null in the lists of an id',
    down: ids((id) => (Array.isArray(id) ? id.filter((item) => item !== null) : id)),
  },
  'ids-in-32-bits': {
    says: 'keeps the lower 32 bits of ids that are numbers',
    down: ids((id) => (typeof id === 'number' && Number.isInteger(id) ? id | 0 : id)),
  },
  'nameless-lost-in-ids': {
    says: 'leaves out members of an id that have no name',
    down: ids((id) => (isObject(id) ? Object.fromEntries(Object.entries(id).filter(([name]) => name !== '')) : id)),
  },
  'oob-stays-enabled': {
    says: 'leaves oob enabled for the clients to come',
    up: (command, { shared }) => {
      if (command.execute !== 'qmp_capabilities') return command;
      const { enable } = argumentsOf(command);
      if (Array.isArray(enable) && enable.includes('oob')) shared.set('oob', true);
      return enable === undefined && shared.has('oob') ? { ...command, arguments: { enable: ['oob'] } } : command;
    },
  },
  'refused-set-keeps-texts': {
    says: 'keeps the texts of a set of parameters that it refuses',
    down: (message, { command, ask }) => {
      const given = 'error' in message ? parametersOf(command) : undefined;
      const { 'tls-hostname': text } = given ?? {};
      if (typeof text === 'string') ask({ execute: 'migrate-set-parameters', arguments: { 'tls-hostname': text } });
      return [message];
    },
  },
  'hostname-forgets-credentials': {
    says: 'forgets tls-creds when tls-hostname is set',
    up: drags('tls-hostname', { 'tls-creds': '' }),
  },
  'bandwidth-lifts-that-of-postcopy': {
    says: 'takes the limit off postcopy when max-bandwidth is set',
    up: drags('max-bandwidth', { 'max-postcopy-bandwidth': 0 }),
  },
  'no-parameters-mean-defaults': {
    says: 'takes a set of no parameters for one of a default',
    up: (command) => {
      const given = parametersOf(command);
      const isNone = given !== undefined && Object.keys(given).length === 0;
      return isNone ? { ...command, arguments: { 'tls-hostname': '' } } : command;
    },
  },
  'members-twice-within-arguments': {
    says: 'takes the last one of members that stand twice within arguments',
    heard: (bytes) =>
      Buffer.from(
        bytes
          .toString('latin1')
          .replaceAll(/"(\w+)":\w+,((?:"\w+":\w+,)?"\1":)/g, (text, name, rest) =>
            name === 'state' || name === 'capability' ? rest : text,
          ),
        'latin1',
      ),
  },
  'a-second-back-after-completed': {
    says: 'puts its clock back by a second when a migration has completed',
    down: (message, { memory }) => {
      const { timestamp } = message;
      const back = memory.has('completed') && isObject(timestamp);
      if (message.event === 'MIGRATION' && isObject(message.data) && message.data.status === 'completed')
        memory.set('completed', true);
      return [back ? { ...message, timestamp: { ...timestamp, seconds: Number(timestamp.seconds) - 1 } } : message];
    },
  },
  'xbzrle-off-takes-the-return-path': {
    says: 'switches return-path off with xbzrle',
    up: (command) => {
      const { capabilities: list } = argumentsOf(command);
      const off = (one: JsonValue) => isObject(one) && one.capability === 'xbzrle' && one.state === false;
      if (command.execute !== 'migrate-set-capabilities' || !Array.isArray(list) || !list.some(off)) return command;
      return { ...command, arguments: { capabilities: [...list, { capability: 'return-path', state: false }] } };
    },
  },
  'capability-set-last-first': {
    says: 'lists the capability first that was set last',
    down: (message, talk) => {
      const { capabilities: set } = argumentsOf(talk.command);
      const last = Array.isArray(set) ? set.at(-1) : undefined;
      if ('return' in message && isObject(last)) talk.shared.set('last', last.capability);
      return returned<readonly JsonObject[]>('query-migrate-capabilities', (list) =>
        list.toSorted(
          (a, b) => Number(b.capability === talk.shared.get('last')) - Number(a.capability === talk.shared.get('last')),
        ),
      )(message, talk);
    },
  },
  'failed-with-the-last-figures': {
    says: 'shows the figures that it showed last when a migration has failed',
    down: (message, talk) =>
      status((value) => {
        if (value.ram !== undefined) talk.shared.set('ram', value.ram);
        const ram = talk.shared.get('ram') as JsonValue | undefined;
        return value.status === 'failed' && ram !== undefined ? { ...value, ram } : value;
      })(message, talk),
  },
  'cache-of-before-shown-on': {
    says: 'shows the cache of xbzrle in later migrations without it',
    down: (message, talk) =>
      status((value) => {
        const { 'xbzrle-cache': cache } = value;
        if (cache !== undefined) talk.shared.set('cache', cache);
        const kept = talk.shared.get('cache') as JsonValue | undefined;
        return isObject(value.ram) && kept !== undefined ? { ...value, 'xbzrle-cache': kept } : value;
      })(message, talk),
  },
  'reason-of-the-first-failure': {
    says: 'gives the reason of the first failure for all later ones',
    down: (message, talk) =>
      status((value) => {
        if (value['error-desc'] === undefined) return value;
        const first = (talk.shared.get('first') as JsonValue | undefined) ?? value['error-desc'];
        talk.shared.set('first', first);
        return { ...value, 'error-desc': first };
      })(message, talk),
  },
  'later-resets-by-the-guest': {
    says: 'tells of every reset but the first as one of the guest',
    down: (message, { memory }) => {
      if (message.event !== 'RESET' || !isObject(message.data)) return [message];
      const again = memory.has('reset');
      memory.set('reset', true);
      return [again ? { ...message, data: { ...message.data, guest: true } } : message];
    },
  },
  'human-status-stands': {
    says: 'tells the human monitor for ever the run state that it told first',
    down: (message, { command, shared }) => {
      const asked =
        command?.execute === 'human-monitor-command' && argumentsOf(command)['command-line'] === 'info status';
      if (!asked || message.return === undefined) return [message];
      const first = (shared.get('info') as JsonValue | undefined) ?? message.return;
      shared.set('info', first);
      return [{ ...message, return: first }];
    },
  },
  'failures-cost-the-settings': {
    says: 'forgets the settings of a client that was refused something, once the next one comes',
    down: (message, { command, client, ask, shared }) => {
      if ('error' in message) shared.set('refused', client);
      const before = Number(shared.get('refused') ?? client) < client;
      if (before && command?.execute === 'qmp_capabilities')
        ask({ execute: 'migrate-set-parameters', arguments: { 'downtime-limit': 300 } });
      return [message];
    },
  },
  'another-build-on-the-second-monitor': {
    says: 'greets the clients of its second monitor as another build',
    down: (message, { monitor }) => {
      const { QMP: body } = message;
      if (monitor === 0 || !isObject(body) || !isObject(body.version)) return [message];
      return [{ QMP: { ...body, version: { ...body.version, package: 'another' } } }];
    },
  },
  'capabilities-turned-around-once-refused': {
    says: 'lists its capabilities the other way round once it has refused something',
    down: (message, talk) => {
      if ('error' in message) talk.shared.set('refused', true);
      if (!talk.shared.has('refused')) return [message];
      return returned<JsonValue[]>('query-migrate-capabilities', (list) => [...list].reverse())(message, talk);
    },
  },
  'replies-with-more-once-refused': {
    says: 'puts the time into its replies once it has refused something',
    down: (message, { memory }) => {
      const before = memory.has('refused');
      if ('error' in message) memory.set('refused', true);
      return [before && 'return' in message ? { ...message, time: 0 } : message];
    },
  },
  'sizes-with-a-point': {
    says: 'writes the size of a page with a point and a zero',
    bytes: (bytes) => Buffer.from(bytes.toString('latin1').replace(/("page-size": \d+)/g, '$1.0'), 'latin1'),
  },
  'passes-from-two': {
    says: 'calls the first pass of all the second one, and counts on from there',
    down: (message, talk) => {
      if (message.event === 'MIGRATION_PASS' && isObject(message.data))
        return [{ ...message, data: { pass: Number(message.data.pass) + 1 } }];
      return ram((value) => ({ ...value, 'dirty-sync-count': Number(value['dirty-sync-count']) + 1 }))(message, talk);
    },
  },
  'clash-means-oob': {
    says: 'carries out of band what is asked for both ways',
    up: (command) => ('exec-oob' in command && 'execute' in command ? without(command, 'execute') : command),
  },
  'runs-while-it-finishes': {
    says: 'shows a guest as running whose migration is about to finish',
    down: returned<JsonObject>('query-status', (value) =>
      value.status === 'finish-migrate' ? { ...value, running: true } : value,
    ),
  },
} satisfies Record<string, Lie>;
