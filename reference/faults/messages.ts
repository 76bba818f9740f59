/** Messages as faults change them. */
import { ByteValue } from '../monitor/json/encoder.js';
import type { JsonValue } from '../monitor/json/value.js';
import type { Reply } from '../monitor/reply.js';
import type { Members } from './fault.js';

export const isReply = (message: Reply): boolean => 'return' in message || 'error' in message;
export const isEvent = (message: Reply): boolean => 'event' in message;
export const isGreeting = (message: Reply): boolean => 'QMP' in message;

/** The echoed id; `undefined` where there is none. */
export const idOf = ({ id }: Reply): JsonValue | undefined =>
  id instanceof ByteValue ? (id.value as JsonValue) : (id as JsonValue | undefined);

export const errorOf = ({ error }: Reply): Members => (error ?? {}) as Members;

export function without<T extends Members>(value: T, ...names: readonly string[]): Members {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}

export const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ByteValue);
