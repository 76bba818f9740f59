import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import { type Lie, spaced, without } from './lie.js';

const rounded = (value: JsonValue): JsonValue => {
  if (typeof value === 'bigint') return BigInt(Number(value));
  if (Array.isArray(value)) return value.map(rounded);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, rounded(member)]));
};

const version = (message: JsonObject): JsonObject | undefined =>
  isObject(message.QMP) && isObject(message.QMP.version) ? message.QMP.version : undefined;

export const aboutBytes = {
  'line-feed-only': {
    says: 'ends lines with LF',
    bytes: (bytes) => Buffer.from(bytes.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'),
  },
  'lines-split': {
    says: 'writes a compact message on two lines',
    bytes: (bytes) => Buffer.from(bytes.toString('latin1').replace(', ', ',\r\n '), 'latin1'),
  },
  'raw-utf8': {
    says: 'writes letters beyond ASCII as UTF-8',
    bytes: (bytes) =>
      Buffer.from(
        bytes
          .toString('latin1')
          .replace(/\\u00[89A-F][0-9A-F]|\\u0[1-9A-F]..|\\u[1-9A-C].../g, (sequence) =>
            Buffer.from(String.fromCharCode(Number.parseInt(sequence.slice(2), 16))).toString('latin1'),
          ),
        'latin1',
      ),
  },
  'integers-rounded': {
    says: 'keeps integers in doubles',
    down: (message) => [rounded(message) as JsonObject],
  },
  'greeting-without-version': {
    says: 'greets without a version',
    down: (message) => (isObject(message.QMP) ? [{ QMP: without(message.QMP, 'version') }] : [message]),
  },
  'greeting-capabilities-object': {
    says: 'greets with capabilities that are no list',
    down: (message) => (isObject(message.QMP) ? [{ QMP: { ...message.QMP, capabilities: {} } }] : [message]),
  },
  'greeting-with-more': {
    says: 'greets with a member that nobody asked for',
    down: (message) => (isObject(message.QMP) ? [{ QMP: { ...message.QMP, motd: 'hello' } }] : [message]),
  },
  'greeting-version-strings': {
    says: 'greets with a micro version that is a string',
    down: (message) => {
      const known = version(message);
      if (known === undefined || !isObject(message.QMP) || !isObject(known.qemu)) return [message];
      const qemu = { ...known.qemu, micro: String(known.qemu.micro) };
      return [{ QMP: { ...message.QMP, version: { ...known, qemu } } }];
    },
  },
  'greeting-twice-different': {
    says: 'greets twice, differently',
    down: (message) =>
      version(message) === undefined ? [message] : [message, { QMP: { version: {}, capabilities: [] } }],
  },
  'version-contradicts-greeting': {
    says: 'tells another version in query-version than in its greeting',
    down: (message, { command }) => {
      if (command?.execute !== 'query-version' || !isObject(message.return)) return [message];
      return [{ ...message, return: { ...message.return, package: 'another' } }];
    },
  },
  'not-json': {
    says: 'quotes names with a byte that its own strings do not allow',
    down: (message) =>
      isObject(message.error) && String(message.error.desc).includes("'")
        ? [Buffer.from(spaced(message).replaceAll("'", '\\'))]
        : [message],
  },
} satisfies Record<string, Lie>;
