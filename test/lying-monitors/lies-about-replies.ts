import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import { type Lie, type Said, without } from './lie.js';

const isReply = (message: JsonObject) => 'return' in message || 'error' in message;
const errorOf = (message: JsonObject): JsonObject => (isObject(message.error) ? message.error : {});
const descOf = (message: JsonObject): string => String(errorOf(message).desc ?? '');
const success = (message: JsonObject): JsonObject => ({
  return: {},
  ...('id' in message ? { id: message.id as JsonValue } : {}),
});
/** A reply of the monitor is changed when its command has this name. */
const inReplyTo =
  (name: string, change: (message: JsonObject) => readonly Said[]): NonNullable<Lie['down']> =>
  (message, { command }) =>
    command?.execute === name ? change(message) : [message];
const argumentsOf = (command: JsonObject): JsonObject => (isObject(command.arguments) ? command.arguments : {});

export const aboutReplies = {
  'null-id-dropped': {
    says: 'takes an id that is null for none',
    down: (message) => [message.id === null ? without(message, 'id') : message],
  },
  'id-number-to-string': {
    says: 'gives a number back as a string',
    down: (message) => [typeof message.id === 'number' ? { ...message, id: String(message.id) } : message],
  },
  'id-lost-in-errors': {
    says: 'gives an id that is a list back in successes only',
    down: (message) => [Array.isArray(message.id) && 'error' in message ? without(message, 'id') : message],
  },
  'id-invented': {
    says: 'adds an id where there was none',
    down: (message) => [isReply(message) && !('id' in message) ? { ...message, id: null } : message],
  },
  'unknown-command-succeeds': {
    says: 'answers commands that it does not know with success',
    down: (message) => [descOf(message).endsWith('has not been found') ? success(message) : message],
  },
  'names-ignore-case': {
    says: 'does not mind the case of command names',
    up: (command) =>
      typeof command.execute === 'string' ? { ...command, execute: command.execute.toLowerCase() } : command,
  },
  'reply-twice': {
    says: 'answers query-version twice',
    down: inReplyTo('query-version', (message) => [message, message]),
  },
  'reply-missing-without-id': {
    says: 'does not answer commands that have no id',
    down: (message, { command }) =>
      command !== undefined && !('id' in command) && 'return' in message ? [] : [message],
  },
  'replies-out-of-order': {
    says: 'keeps a reply back until the next one is there',
    down: (message, { memory, waiting }) => {
      const kept = memory.get('kept') as JsonObject | undefined;
      memory.delete('kept');
      if (kept !== undefined) return [message, kept];
      if (!isReply(message) || waiting === 0) return [message];
      memory.set('kept', message);
      return [];
    },
  },
  'error-class-wrong': {
    says: 'tells argument faults as CommandNotFound',
    down: (message) => [
      descOf(message).includes('arameter')
        ? { ...message, error: { ...errorOf(message), class: 'CommandNotFound' } }
        : message,
    ],
  },
  'error-class-invented': {
    says: 'has an error class of its own for unknown commands',
    down: (message) => [
      descOf(message).endsWith('has not been found')
        ? { ...message, error: { ...errorOf(message), class: 'NoSuchCommand' } }
        : message,
    ],
  },
  'error-with-more': {
    says: 'adds data to errors',
    down: (message) => ['error' in message ? { ...message, error: { ...errorOf(message), data: {} } } : message],
  },
  'error-desc-object': {
    says: 'describes errors with an object',
    down: (message) => ['error' in message ? { ...message, error: { ...errorOf(message), desc: {} } } : message],
  },
  'error-and-return': {
    says: 'sends errors that are successes too',
    down: (message) => ['error' in message ? { ...message, return: {} } : message],
  },
  'reply-with-more': {
    says: 'adds the time to replies',
    down: (message) => ['return' in message ? { ...message, time: 5 } : message],
  },
  'return-missing': {
    says: 'answers stop without a return member',
    down: inReplyTo('stop', (message) => [without(message, 'return')]),
  },
  'return-null': {
    says: 'returns null where there is nothing to return',
    down: inReplyTo('stop', (message) => ['return' in message ? { ...message, return: null } : message]),
  },
  'negotiation-optional': {
    says: 'obeys before negotiation',
    down: (message) => [descOf(message).startsWith('Expecting capabilities negotiation') ? success(message) : message],
  },
  'negotiation-twice': {
    says: 'accepts a second qmp_capabilities',
    down: (message) => [descOf(message).includes('already complete') ? success(message) : message],
  },
  'negotiation-unknown-capability': {
    says: 'enables what it does not know',
    up: (command) =>
      command.execute === 'qmp_capabilities' && Array.isArray(argumentsOf(command).enable)
        ? { ...command, arguments: { ...argumentsOf(command), enable: [] } }
        : command,
  },
  'floats-accepted': {
    // Reading 5.0 and writing it again makes 5 of it.
    says: 'takes a float for an integer',
    up: (command) => ({ ...command }),
  },
  'nulls-accepted': {
    says: 'takes null for absent',
    up: (command) => ({
      ...command,
      ...('arguments' in command && isObject(command.arguments)
        ? { arguments: Object.fromEntries(Object.entries(command.arguments).filter(([, value]) => value !== null)) }
        : {}),
    }),
  },
  'unknown-argument-accepted': {
    says: 'ignores arguments that it does not know',
    down: (message) => [/^Parameter '.*' is unexpected$/.test(descOf(message)) ? success(message) : message],
  },
  'unknown-envelope-member-accepted': {
    says: 'ignores members of a command that it does not know',
    down: (message) => [/^QMP input member '.*' is unexpected$/.test(descOf(message)) ? success(message) : message],
  },
  'missing-argument-accepted': {
    says: 'obeys without an argument that it needs',
    down: (message) => [/^Parameter '.*' is missing$/.test(descOf(message)) ? success(message) : message],
  },
  'batch-accepted': {
    says: 'takes a list for nothing to do',
    down: (message) => [descOf(message) === 'QMP input must be a JSON object' ? success(message) : message],
  },
  'running-for-ever': {
    says: 'claims to run when it is stopped',
    down: inReplyTo('query-status', (message) => [
      isObject(message.return) ? { ...message, return: { ...message.return, running: true } } : message,
    ]),
  },
} satisfies Record<string, Lie>;
