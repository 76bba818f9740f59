/** The builtin types as arguments (QMP-ARG-03..21). */
import { type IntegerName, integerRanges } from '../../qapi/schema.js';
import { CommandError } from '../migration/host.js';
import { decodeText } from './json/text.js';
import type { JsonValue } from './json/value.js';

/** The fault of a value whose JSON type is not what `path` wants. */
export function wrongType(path: string, expected: string): CommandError {
  return new CommandError(`Invalid parameter type for '${path}', expected: ${expected}`);
}

/** Any JSON value in the form that handlers get: Maps become records, byte strings become text. */
export function plainValue(value: JsonValue): unknown {
  if (typeof value === 'string') return decodeText(value);
  if (Array.isArray(value)) return value.map(plainValue);
  if (!(value instanceof Map)) return value;
  const record = Object.create(null) as Record<string, unknown>;
  for (const [name, member] of value) record[decodeText(name)] = plainValue(member);
  return record;
}

const isIntegerName = (name: string): name is IntegerName => Object.hasOwn(integerRanges, name);
const inRange = (value: bigint, name: IntegerName) =>
  value >= integerRanges[name][0] && value <= integerRanges[name][1];

/** Whether only an unsigned 64-bit integer holds the value. */
export const isBeyondSigned = (value: JsonValue): boolean =>
  typeof value === 'bigint' && value > integerRanges.int64[1] && value <= integerRanges.uint64[1];

/** @throws CommandError if `value` is not a `type`; `name` is the bare member name. */
export function checkBuiltin(type: string, value: JsonValue, path: string, name: string): unknown {
  if (isIntegerName(type)) return checkInteger(type, value, path, name);
  switch (type) {
    case 'str':
      if (typeof value !== 'string') throw wrongType(path, 'string');
      return decodeText(value);
    case 'bool':
      if (typeof value !== 'boolean') throw wrongType(path, 'boolean');
      return value;
    case 'number':
      if (typeof value !== 'number' && typeof value !== 'bigint') throw wrongType(path, 'number');
      return Number(value);
    case 'null':
      if (value !== null) throw wrongType(path, 'null');
      return null;
    default:
      return plainValue(value);
  }
}

/** A float token is never an integer (QMP-ARG-05); unsigned types take negative ones modulo 2^64 (QMP-ARG-07). */
function checkInteger(type: IntegerName, value: JsonValue, path: string, name: string): bigint {
  const unsigned = type === 'size' || type.startsWith('uint');
  const wide = unsigned ? 'uint64' : 'int64';
  if (typeof value !== 'bigint' || (!inRange(value, wide) && !(unsigned && inRange(value, 'int64'))))
    throw unsigned ? new CommandError(`Parameter '${path}' expects uint64`) : wrongType(path, 'integer');
  const wrapped = unsigned ? BigInt.asUintN(64, value) : value;
  if (!inRange(wrapped, type)) throw new CommandError(`Parameter '${name}' expects ${type}_t`);
  return wrapped;
}
