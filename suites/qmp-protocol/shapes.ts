/** Patterns that also hold a reply to its exact shape: a member too many, or an id that nobody sent, is a fault (§5). */
import { type Expected, meets, type Pattern, wordsOf } from '../../oracle/patterns.js';
import { isObject, type JsonValue, sameJson } from '../../protocol/json.js';

/** Without an id given, the reply must have none. */
export interface WithId {
  readonly id?: JsonValue;
}

const idWords = ({ id }: WithId): string => (id === undefined ? ' without id' : ` with id ${wordsOf(id as Expected)}`);

function hasExactly(value: JsonValue | undefined, main: string, { id }: WithId): value is Record<string, JsonValue> {
  if (!isObject(value) || !Object.hasOwn(value, main)) return false;
  if (Object.keys(value).length !== (id === undefined ? 1 : 2)) return false;
  return id === undefined || (Object.hasOwn(value, 'id') && sameJson(value.id as JsonValue, id));
}

/** A success reply and nothing but; `value` is the return value, if it is prescribed (QMP-REPLY-01). */
export function done(value?: Expected, reply: WithId = {}): Pattern {
  return {
    words: `success${value === undefined ? '' : ` returning ${wordsOf(value)}`}${idWords(reply)}`,
    test: (message) =>
      hasExactly(message.value, 'return', reply) &&
      (value === undefined || meets(message.value.return as JsonValue, value)),
  };
}

/** An error reply and nothing but; the texts of `desc` are compared in strict mode (QMP-REPLY-03). */
export function refused(errorClass: string, desc: string | readonly string[] | RegExp, reply: WithId = {}): Pattern {
  const permitted = desc instanceof RegExp || typeof desc !== 'string' ? desc : [desc];
  const text = permitted instanceof RegExp ? ` matching ${permitted}` : ` "${permitted.join('" or "')}"`;
  return {
    words: `${errorClass}${text}${idWords(reply)}`,
    test: (message, { strictDesc }) => {
      if (!hasExactly(message.value, 'error', reply)) return false;
      const { error } = message.value;
      if (!isObject(error) || Object.keys(error).length !== 2 || error.class !== errorClass) return false;
      if (typeof error.desc !== 'string' || error.desc === '') return false;
      if (!strictDesc) return true;
      return permitted instanceof RegExp ? permitted.test(error.desc) : permitted.includes(error.desc);
    },
  };
}

/** Any other error of class GenericError: what faulty input is answered with (QMP-ERR-05). */
export const faulty = (desc: string | readonly string[] | RegExp, reply: WithId = {}): Pattern =>
  refused('GenericError', desc, reply);
