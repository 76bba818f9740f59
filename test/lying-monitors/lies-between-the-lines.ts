/** Lies in what is seldom looked at: line ends and escapes away from plain replies, and what is asked in an unusual way. */
import { isObject, type JsonObject } from '../../protocol/json.js';
import type { Lie, Said } from './lie.js';

const text = (message: JsonObject, change: (text: string) => string): readonly Said[] => {
  const usual = JSON.stringify(message);
  const changed = change(usual);
  return changed === usual ? [message] : [Buffer.from(changed)];
};
const replacedBytes =
  (from: string, to: string): NonNullable<Lie['heard']> =>
  (bytes) =>
    Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1');

export const betweenTheLines = {
  'events-end-in-lf': {
    says: 'ends events in a line feed only',
    bytes: (bytes) => Buffer.from(bytes.toString('latin1').replaceAll(/("event": "[^\n]*)\r\n/g, '$1\n'), 'latin1'),
  },
  'slashes-escaped-in-errors': {
    says: 'escapes the slashes of errors',
    down: (message) => ('error' in message ? text(message, (usual) => usual.replaceAll('/', '\\/')) : [message]),
  },
  'digits-are-numbers': {
    says: 'gives an id of digits back as a number',
    down: (message) => [
      typeof message.id === 'string' && /^\d+$/.test(message.id) ? { ...message, id: Number(message.id) } : message,
    ],
  },
  'ids-cut-at-64k': {
    says: 'cuts ids to 65535 characters',
    down: (message) => [
      typeof message.id === 'string' && message.id.length > 65535
        ? { ...message, id: message.id.slice(0, 65535) }
        : message,
    ],
  },
  'descriptions-cut': {
    says: 'cuts what it says of errors to 1000 characters',
    down: (message) => [
      isObject(message.error) && String(message.error.desc).length > 1000
        ? { ...message, error: { ...message.error, desc: String(message.error.desc).slice(0, 1000) } }
        : message,
    ],
  },
  'carriage-returns-ignored': { says: 'takes no notice of carriage returns', heard: replacedBytes('\r', '') },
  'reset-of-the-first-monitor': {
    says: 'tells its first monitor only of a reset',
    down: (message, { monitor }) => (message.event === 'RESET' && monitor > 0 ? [] : [message]),
  },
  'oob-without-arguments': {
    says: 'forgets the arguments of commands that come out of band',
    up: (command) =>
      'exec-oob' in command ? Object.fromEntries(Object.entries(command).filter(([k]) => k !== 'arguments')) : command,
  },
  'name-in-lower-case': {
    says: 'tells the name of the guest in lower case',
    down: (message, { command }) => [
      command?.execute === 'query-name' && isObject(message.return) && typeof message.return.name === 'string'
        ? { ...message, return: { name: message.return.name.toLowerCase() } }
        : message,
    ],
  },
  'no-capabilities-while-active': {
    says: 'takes an empty list of capabilities while it migrates',
    up: (command, talk) => {
      const { execute, arguments: given, id } = command;
      const none = isObject(given) && Array.isArray(given.capabilities) && given.capabilities.length === 0;
      if (execute !== 'migrate-set-capabilities' || !none || talk.shared.get('status') !== 'active') return command;
      talk.say({ return: {}, ...(id === undefined ? {} : { id }) });
      return undefined;
    },
    down: (message, { shared }) => {
      if (message.event === 'MIGRATION' && isObject(message.data)) shared.set('status', message.data.status);
      return [message];
    },
  },
} satisfies Record<string, Lie>;
