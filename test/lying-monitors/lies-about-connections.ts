import { isObject, type JsonObject } from '../../protocol/json.js';
import { argumentsOf, descOf, success } from './ask.js';
import { type Lie, timestamp, without } from './lie.js';

/** Hands on what a client writes when `until` says that enough is there; what is kept is remembered under `name`. */
const heldUntil =
  (until: (text: string) => number): NonNullable<Lie['heard']> =>
  (bytes, { memory }) => {
    const all = Buffer.concat([(memory.get('held') as Buffer | undefined) ?? Buffer.alloc(0), bytes]);
    const end = until(all.toString('latin1'));
    memory.set('held', all.subarray(end));
    return all.subarray(0, end);
  };

const greeted =
  (change: (capabilities: readonly unknown[]) => readonly unknown[]): NonNullable<Lie['down']> =>
  (message) => {
    if (!isObject(message.QMP) || !Array.isArray(message.QMP.capabilities)) return [message];
    return [{ QMP: { ...message.QMP, capabilities: change(message.QMP.capabilities) as string[] } }];
  };

export const aboutConnections = {
  'input-by-lines': {
    says: 'obeys only when a line has ended',
    heard: heldUntil((text) => text.lastIndexOf('\n') + 1),
  },
  'input-first-of-a-line': {
    says: 'reads only the first message of a line',
    heard: (bytes) => Buffer.from(bytes.toString('latin1').replace(/\}[ \t]*\{"execute[^\n]*/g, '}'), 'latin1'),
  },
  'input-in-one-piece': {
    says: 'reads a message only when it comes in one piece',
    heard: (bytes, { memory }) => {
      const at = Number(memory.get('open') ?? 0);
      const text = bytes.toString('latin1');
      const open = at + text.split('{').length - text.split('}').length;
      memory.set('open', Math.max(0, open));
      return at > 0 && open <= 0 ? Buffer.concat([Buffer.from([0xff]), Buffer.from('\n')]) : bytes;
    },
  },
  'carriage-returns-refused': {
    says: 'takes a carriage return for no white space',
    heard: (bytes) => Buffer.from(bytes.toString('latin1').replaceAll('\r', 'X'), 'latin1'),
  },
  'tabs-refused': {
    says: 'takes a tabulator for no white space',
    heard: (bytes) => Buffer.from(bytes.toString('latin1').replaceAll('\t', 'X'), 'latin1'),
  },
  'escapes-misread': {
    says: 'reads \\u0065 as a question mark',
    heard: (bytes) => Buffer.from(bytes.toString('latin1').replaceAll('\\u0065', '?'), 'latin1'),
  },
  'single-quotes-refused': {
    says: 'takes no single quotes',
    heard: (bytes) => Buffer.from(bytes.toString('latin1').replace(/\{'/g, '{X'), 'latin1'),
  },
  'long-input-cut': {
    says: 'reads 64 KiB of a message at most',
    heard: (bytes, { memory }) => {
      const before = Number(memory.get('long') ?? 0);
      const ends = bytes.includes(0x7d);
      memory.set('long', ends ? 0 : before + bytes.length);
      if (before + bytes.length <= 65_536) return bytes;
      const kept = bytes.subarray(0, Math.max(0, 65_536 - before));
      return ends ? Buffer.concat([kept, Buffer.from('"}')]) : kept;
    },
  },
  'nesting-limited': {
    says: 'takes no more than 100 brackets in each other',
    heard: (bytes) => Buffer.from(bytes.toString('latin1').replace(/\[{100,}/g, '@'), 'latin1'),
  },
  'leaves-at-half-close': { says: 'closes at once when its client has ended its side', leaves: true },
  'output-cut': {
    says: 'cuts messages at 64 KiB',
    bytes: (bytes) => (bytes.length > 65_536 ? Buffer.concat([bytes.subarray(0, 65_534), Buffer.from('\r\n')]) : bytes),
  },
  'output-in-lines': {
    says: 'writes long messages on several lines',
    bytes: (bytes) =>
      bytes.length > 2000 ? Buffer.from(bytes.toString('latin1').replaceAll('}, {', '},\r\n{'), 'latin1') : bytes,
  },
  'greeting-offers-more': {
    says: 'offers a capability that nobody knows',
    down: greeted((capabilities) => [...capabilities, 'bulk']),
  },
  'greeting-offers-twice': {
    says: 'offers its capabilities twice',
    down: greeted((capabilities) => [...capabilities, ...capabilities]),
  },
  'greeting-offers-what-it-refuses': {
    says: 'offers oob and refuses it',
    up: (command, { say }) => {
      const { enable } = argumentsOf(command);
      if (command.execute !== 'qmp_capabilities' || !Array.isArray(enable) || enable.length === 0) return command;
      const { id } = command;
      const error = { class: 'GenericError', desc: 'Capability oob not available' };
      say({ error, ...(id === undefined ? {} : { id }) });
      return undefined;
    },
  },
  'negotiation-returns-more': {
    says: 'returns what was negotiated',
    down: (message, { command }) => [
      command?.execute === 'qmp_capabilities' && 'return' in message
        ? { ...message, return: { enabled: [] } }
        : message,
    ],
  },
  'negotiation-fails-open': {
    says: 'is in command mode after a refused negotiation, too',
    down: (message, { command, ask }) => {
      if (command?.execute === 'qmp_capabilities' && 'error' in message) ask({ execute: 'qmp_capabilities' });
      return [message];
    },
  },
  'negotiation-outlives-its-client': {
    says: 'is in command mode for every client after the first one',
    down: (message, { ask, client }) => {
      if ('QMP' in message && client > 1) ask({ execute: 'qmp_capabilities' });
      return [message];
    },
  },
  'negotiation-error-class': {
    says: 'refuses commands ahead of the negotiation as GenericError',
    down: (message) => [
      descOf(message).startsWith('Expecting capabilities negotiation') && isObject(message.error)
        ? { ...message, error: { ...message.error, class: 'GenericError' } }
        : message,
    ],
  },
  'oob-without-being-asked': {
    says: 'takes exec-oob though nobody has enabled it',
    up: (command, { memory }) => {
      const { 'exec-oob': name, ...rest } = command;
      const { enable } = argumentsOf(command);
      if (Array.isArray(enable) && enable.includes('oob')) memory.set('oob', true);
      return name === undefined || memory.has('oob') ? command : { execute: name, ...rest };
    },
  },
  'oob-outlives-its-client': {
    says: 'leaves oob enabled for the next client',
    up: (command, { client }) =>
      command.execute === 'qmp_capabilities' && client > 1 && !('arguments' in command)
        ? { ...command, arguments: { enable: ['oob'] } }
        : command,
  },
  'oob-answered-last': {
    says: 'answers out of band when all else is answered',
    down: (message, { command, memory, waiting }) => {
      if (command !== undefined && 'exec-oob' in command && waiting > 0) {
        memory.set('oob reply', message);
        return [];
      }
      const kept = memory.get('oob reply') as JsonObject | undefined;
      if (kept === undefined || waiting > 0 || 'event' in message) return [message];
      memory.delete('oob reply');
      return [message, kept];
    },
  },
  'events-for-the-first-client-only': {
    says: 'sends events to its first client only',
    down: (message, { client }) => ('event' in message && client > 1 ? [] : [message]),
  },
  'events-for-the-first-monitor-only': {
    says: 'sends events to its first monitor only',
    down: (message, { monitor }) => ('event' in message && monitor > 0 ? [] : [message]),
  },
  'events-stamped-at-each-monitor': {
    says: 'stamps an event on each monitor when it writes it there',
    down: (message, { monitor }) => [
      'event' in message && isObject(message.timestamp) && monitor > 0
        ? {
            ...message,
            timestamp: { ...message.timestamp, microseconds: (Number(message.timestamp.microseconds) + 7) % 1e6 },
          }
        : message,
    ],
  },
  'events-differ-between-monitors': {
    says: 'tells its second monitor of another event',
    down: (message, { monitor }) => [
      message.event === 'STOP' && monitor > 0 ? { ...message, event: 'RESUME' } : message,
    ],
  },
  'replies-to-the-wrong-monitor': {
    says: 'answers the second monitor in the place of the first',
    up: (command, { monitor, shared }) => {
      if (monitor === 0 && command.execute === 'query-version') shared.set('name', command.id);
      return command;
    },
    down: (message, { command, monitor, shared }) =>
      monitor > 0 && command?.execute === 'query-version' && shared.get('name') !== undefined
        ? [{ ...message, id: shared.get('name') as string }]
        : [message],
  },
  'half-a-command-is-kept': {
    says: 'keeps half a command of one client for the next',
    heard: (bytes, { client, memory, shared }) => {
      const text = bytes.toString('latin1');
      const open = text.split('{').length - text.split('}').length;
      const kept = memory.has('begun') || client === 1 ? '' : String(shared.get('half') ?? '');
      memory.set('begun', true);
      shared.set('half', open > 0 ? text : '');
      return Buffer.concat([Buffer.from(kept, 'latin1'), bytes]);
    },
  },
  'bursts-cut': {
    says: 'forgets commands when 30 are waiting',
    up: (command, { waiting }) => (waiting > 30 ? undefined : command),
  },
  'closes-after-errors': {
    says: 'says no more to a client that has sent no JSON',
    down: (message, { memory }) => {
      if (memory.has('mute')) return [];
      if (descOf(message).startsWith('JSON parse error')) memory.set('mute', true);
      return [message];
    },
  },
  'closes-after-many': {
    says: 'answers a client 50 times and not more',
    down: (message, { memory }) => {
      const count = Number(memory.get('answers') ?? 0) + 1;
      memory.set('answers', count);
      return count > 50 && !('event' in message) ? [] : [message];
    },
  },
  'quit-unanswered': {
    says: 'does not answer quit',
    down: (message, { command }) => (command?.execute === 'quit' ? [] : [message]),
  },
  'quit-stops-first': {
    says: 'stops its guest before it quits',
    down: (message) =>
      message.event === 'SHUTDOWN' ? [{ event: 'STOP', timestamp: timestamp() }, message] : [message],
  },
  'quit-ignored': {
    says: 'takes quit and stays',
    up: (command, { say }) => {
      if (command.execute !== 'quit') return command;
      say(success(command));
      return undefined;
    },
  },
  'shutdown-by-the-guest': {
    says: 'takes quit for a shutdown by its guest',
    down: (message) => [
      message.event === 'SHUTDOWN' && isObject(message.data)
        ? { ...message, data: { ...message.data, guest: true } }
        : message,
    ],
  },
  'shutdown-without-data': {
    says: 'does not tell who shut it down',
    down: (message) => [message.event === 'SHUTDOWN' ? without(message, 'data') : message],
  },
  'shutdown-twice': {
    says: 'announces its end twice',
    down: (message) => (message.event === 'SHUTDOWN' ? [message, message] : [message]),
  },
  'reset-by-the-guest': {
    says: 'takes system_reset for a reset by its guest',
    down: (message) => [
      message.event === 'RESET' && isObject(message.data)
        ? { ...message, data: { ...message.data, guest: true } }
        : message,
    ],
  },
  'reset-twice': {
    says: 'announces a reset twice',
    down: (message) => (message.event === 'RESET' ? [message, message] : [message]),
  },
} satisfies Record<string, Lie>;
