/** What lies ask of messages. */
import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import type { Lie } from './lie.js';

export const statusOf = (message: JsonObject) =>
  message.event === 'MIGRATION' && isObject(message.data) ? message.data.status : undefined;
export const descOf = (message: JsonObject): string => (isObject(message.error) ? String(message.error.desc) : '');
export const argumentsOf = (command: JsonObject | undefined): JsonObject =>
  isObject(command?.arguments) ? command.arguments : {};
/** A success in the place of a reply, or to a command that was kept from the monitor. */
export const success = ({ id }: JsonObject): JsonObject => ({ return: {}, ...(id === undefined ? {} : { id }) });

/** Changes what a query returns. */
export const returned =
  <T extends JsonValue>(query: string, change: (value: T) => JsonValue): NonNullable<Lie['down']> =>
  (message, { command }) =>
    command?.execute === query && 'return' in message
      ? [{ ...message, return: change(message.return as T) }]
      : [message];
export const status = (change: (value: JsonObject) => JsonValue) => returned('query-migrate', change);
/** Changes the RAM statistics of `query-migrate`. */
export const ram = (change: (value: JsonObject, all: JsonObject) => JsonObject) =>
  status((value) => (isObject(value.ram) ? { ...value, ram: change(value.ram, value) } : value));
/** Leaves an event out. */
export const dropped =
  (left: (event: JsonObject, incoming: boolean) => boolean): NonNullable<Lie['down']> =>
  (message, { incoming }) =>
    'event' in message && left(message, incoming) ? [] : [message];
/** Answers a command with success that the monitor refuses with such a description. */
export const accepted =
  (name: string, desc = ''): NonNullable<Lie['down']> =>
  (message, { command }) => [
    command?.execute === name && 'error' in message && descOf(message).includes(desc) ? success(message) : message,
  ];
