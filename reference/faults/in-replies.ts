/** What is wrong with the envelope of commands and replies, whatever the command is. */
import type { JsonObject, JsonValue } from '../monitor/json/value.js';
import { type Reply, success } from '../monitor/reply.js';
import type { Said, Talk, TalkFaults } from '../monitor/talk-faults.js';
import { type Fault, inArea, type Members } from './fault.js';
import { errorOf, idOf, isReply, without } from './messages.js';

type Planned = Omit<Fault, 'area'>;

const says = (title: string, rows: readonly string[], said: NonNullable<TalkFaults['said']>): Planned => ({
  title,
  rows,
  talk: { said },
});
const each = (change: (message: Reply, talk: Talk) => Said): NonNullable<TalkFaults['said']> => {
  return (message, talk) => [change(message, talk)];
};
const failures = (change: (error: Members, message: Reply) => Said) =>
  each((message) => ('error' in message ? change(errorOf(message), message) : message));
/** A success where the description of the error is so. */
const succeedsOn = (desc: RegExp) =>
  failures(({ desc: text }, message) => (desc.test(String(text)) ? success(idOf(message), undefined) : message));
const hears = (title: string, rows: readonly string[], asked: NonNullable<TalkFaults['asked']>): Planned => ({
  title,
  rows,
  talk: { asked },
});
const mapArguments = (request: JsonObject, change: (args: JsonObject) => JsonObject): JsonObject => {
  const args = request.get('arguments');
  return args instanceof Map ? new Map(request).set('arguments', change(args)) : request;
};
const changeValues = (value: JsonValue, change: (leaf: JsonValue) => JsonValue): JsonValue => {
  if (Array.isArray(value)) return value.map((item) => changeValues(item, change));
  if (!(value instanceof Map)) return change(value);
  return new Map([...value].map(([name, member]) => [name, changeValues(member, change)]));
};
const values = (change: (leaf: JsonValue) => JsonValue) => (request: JsonObject) =>
  mapArguments(request, (args) => changeValues(args, change) as JsonObject);

export const replyFaults = inArea('protocol', {
  'null-id-dropped': says(
    'takes an id that is null for none',
    ['QMP-REPLY-04'],
    each((message) => (idOf(message) === null ? without(message, 'id') : message)),
  ),
  'id-as-text': says(
    'gives numbers back as text in the id',
    ['QMP-REPLY-04'],
    each((message) => {
      const id = idOf(message);
      return typeof id === 'bigint' || typeof id === 'number' ? { ...message, id: String(id) } : message;
    }),
  ),
  'id-lost-in-errors': says(
    'loses the id in errors',
    ['QMP-REPLY-04', 'QMP-NEG-01'],
    failures((_, message) => without(message, 'id')),
  ),
  'id-lost': says(
    'gives no id back',
    ['QMP-REPLY-04'],
    each((message) => without(message, 'id')),
  ),
  'id-invented': says(
    'gives an id back where there was none',
    ['QMP-REPLY-06'],
    each((message) => (isReply(message) && idOf(message) === undefined ? { ...message, id: 0 } : message)),
  ),
  'id-of-before': {
    title: 'gives the id of the command before back, unless it is text',
    rows: ['QMP-REPLY-04'],
    talk: {
      said: (message, { memory }) => {
        const { id } = message;
        const given = idOf(message);
        if (!isReply(message) || given === undefined || typeof given === 'string') return [message];
        const before = memory.get('id') ?? id;
        memory.set('id', id);
        return [{ ...message, id: before }];
      },
    },
  },
  'reply-doubled': says('answers each query twice', ['QMP-REPLY-08'], (message, { command }) =>
    command?.startsWith('query-') ? [message, message] : [message],
  ),
  'reply-without-id-lost': says('does not answer commands that have no id', ['QMP-CMD-03'], (message) =>
    'return' in message && idOf(message) === undefined ? [] : [message],
  ),
  'replies-swapped': {
    title: 'answers the second of two commands that wait first',
    rows: ['QMP-REPLY-09', 'QMP-CMD-13'],
    talk: {
      said: (message, { memory, command, after, say }) => {
        const kept = memory.get('kept') as Reply | undefined;
        if (!isReply(message) || command === undefined || command === 'qmp_capabilities') return [message];
        memory.delete('kept');
        if (kept !== undefined) return [message, kept];
        memory.set('kept', message);
        after(20, () => {
          if (memory.get('kept') !== message) return;
          memory.delete('kept');
          say(message);
        });
        return [];
      },
    },
  },
  'reply-with-time': says(
    'adds the time to replies',
    ['QMP-REPLY-01'],
    each((message) => (isReply(message) ? { ...message, time: 5 } : message)),
  ),
  'return-left-out': says(
    'leaves return out where there is nothing to return',
    ['QMP-REPLY-02', 'QMP-EVT-07'],
    each((message, { command }) =>
      'return' in message && command !== undefined && !/^q(uery-|mp_)/.test(command)
        ? without(message, 'return')
        : message,
    ),
  ),
  'return-null': says(
    'returns null where there is nothing to return',
    ['QMP-REPLY-02', 'QMP-BASE-07'],
    each((message, { command }) =>
      'return' in message && command?.startsWith('query-') === false ? { ...message, return: null } : message,
    ),
  ),
  'return-in-list': says(
    'wraps what a query returns in a list',
    ['QMP-REPLY-01'],
    each((message, { command }) =>
      command?.startsWith('query-') && 'return' in message ? { ...message, return: [message.return] } : message,
    ),
  ),
  'error-with-data': says(
    'adds data to errors',
    ['QMP-REPLY-03'],
    failures((error, message) => ({ ...message, error: { ...error, data: {} } })),
  ),
  'error-desc-missing': says(
    'does not describe errors',
    ['QMP-REPLY-03'],
    failures((error, message) => ({ ...message, error: without(error, 'desc') })),
  ),
  'error-desc-empty': says(
    'describes errors with an empty text',
    ['QMP-ERR-04', 'QMP-REPLY-03'],
    failures((error, message) => ({ ...message, error: { ...error, desc: '' } })),
  ),
  'error-is-text': says(
    'makes of errors a text',
    ['QMP-REPLY-03'],
    failures(({ desc }, message) => ({ ...message, error: desc })),
  ),
  'error-and-return': says(
    'sends errors that are successes too',
    ['QMP-REPLY-03'],
    failures((_, message) => ({ ...message, return: {} })),
  ),
  'error-class-invented': says(
    'has an error class of its own for everything that it refuses',
    ['QMP-ERR-01', 'QMP-REPLY-03'],
    failures((error, message) => ({ ...message, error: { ...error, class: 'Refused' } })),
  ),
  'argument-error-class': says(
    'tells argument faults as CommandNotFound',
    ['QMP-ERR-05', 'QMP-ARG-01'],
    failures((error, message) =>
      String(error.desc).includes('arameter') ? { ...message, error: { ...error, class: 'CommandNotFound' } } : message,
    ),
  ),
  'unknown-command-class': says(
    'tells unknown commands as GenericError',
    ['QMP-CMD-05', 'QMP-ERR-02'],
    failures((error, message) =>
      String(error.desc).endsWith('has not been found')
        ? { ...message, error: { ...error, class: 'GenericError' } }
        : message,
    ),
  ),
  'unknown-command-accepted': says(
    'answers commands that it does not know with success',
    ['QMP-CMD-05'],
    succeedsOn(/has not been found$/),
  ),
  'command-case-ignored': hears('does not mind the case of command names', ['QMP-CMD-05'], (request) => {
    const name = request.get('execute');
    return typeof name === 'string' ? new Map(request).set('execute', name.toLowerCase()) : request;
  }),
  'command-prefix-enough': hears('takes names of commands with blanks around them', ['QMP-CMD-05'], (request) => {
    const name = request.get('execute');
    return typeof name === 'string' ? new Map(request).set('execute', name.trim()) : request;
  }),
  'envelope-lenient': says(
    'ignores members of a command that it does not know',
    ['QMP-CMD-06'],
    succeedsOn(/^QMP input member '.*' is unexpected$/),
  ),
  'execute-optional': says(
    'takes a command without execute for nothing to do',
    ['QMP-CMD-04', 'QMP-CMD-07'],
    succeedsOn(/lacks member 'execute'/),
  ),
  'list-accepted': says(
    'takes a list of commands for nothing to do',
    ['QMP-CMD-12', 'QMP-CMD-02'],
    succeedsOn(/must be a JSON object/),
  ),
  'arguments-any-type': says(
    'takes arguments that are no object for none',
    ['QMP-CMD-08', 'QMP-CMD-06'],
    succeedsOn(/'arguments' must be an object/),
  ),
  'syntax-error-ignored': says(
    'answers what is not JSON with success',
    ['QMP-PARSE-01', 'QMP-LEX-01'],
    succeedsOn(/JSON parse error|Invalid JSON syntax/),
  ),
  'unknown-argument-accepted': says(
    'ignores arguments that it does not know',
    ['QMP-ARG-02', 'QMP-ARG-03'],
    succeedsOn(/^Parameter '.*' is unexpected$/),
  ),
  'missing-argument-accepted': says(
    'obeys without an argument that it needs',
    ['QMP-ARG-01'],
    succeedsOn(/^Parameter '.*' is missing$/),
  ),
  'wrong-type-accepted': says(
    'does nothing, successfully, with an argument of a wrong type',
    ['QMP-ARG-04', 'QMP-ARG-05', 'QMP-ARG-06'],
    succeedsOn(/Invalid parameter type for/),
  ),
  'enum-value-accepted': says(
    'does nothing, successfully, with an enum value that it does not know',
    ['QMP-ARG-17'],
    succeedsOn(/^Invalid parameter '.*'$|does not accept value/),
  ),
  'null-is-absent': hears('takes null for absent', ['QMP-ARG-22'], (request) =>
    mapArguments(request, (args) => new Map([...args].filter(([, value]) => value !== null))),
  ),
  'float-truncated': hears(
    'takes a float for an integer',
    ['QMP-ARG-05'],
    values((leaf) => (typeof leaf === 'number' ? BigInt(Math.trunc(leaf)) : leaf)),
  ),
  'text-as-number': hears(
    'takes digits in quotes for a number',
    ['QMP-ARG-06', 'QMP-ARG-04'],
    values((leaf) => (typeof leaf === 'string' && /^\d{1,18}$/.test(leaf) ? BigInt(leaf) : leaf)),
  ),
  'number-as-boolean': hears(
    'takes 0 and 1 for booleans',
    ['QMP-ARG-06', 'QMP-ARG-13'],
    values((leaf) => (leaf === 0n ? false : leaf === 1n ? true : leaf)),
  ),
  'integers-in-doubles': hears(
    'keeps integers in doubles',
    ['QMP-ARG-07', 'QMP-OUT-04'],
    (request) =>
      changeValues(request, (leaf) => (typeof leaf === 'bigint' ? BigInt(Number(leaf)) : leaf)) as JsonObject,
  ),
  'first-argument-wins': hears('keeps the first letter of texts in arguments only', ['QMP-ARG-08'], (request) =>
    request.get('execute') === 'migrate'
      ? request
      : values((leaf) => (typeof leaf === 'string' ? leaf.slice(0, 24) : leaf))(request),
  ),
});
