/** What a monitor is free to do. */
import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import { type Lie, timestamp } from './lie.js';

const reversed = (value: JsonValue): JsonValue => {
  if (Array.isArray(value)) return value.map(reversed);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reversed(member)]),
  );
};

export const variations = {
  truth: { says: 'the truth' },
  'split-writes': { says: 'writes messages in pieces', pieces: 7 },
  'one-byte-writes': { says: 'writes messages byte by byte', pieces: 1 },
  'members-reversed': { says: 'writes members in another order', down: (message) => [reversed(message) as JsonObject] },
  'unknown-event': {
    says: 'has an event that nobody knows, once after negotiation',
    down: (message, { command }) =>
      command?.execute === 'qmp_capabilities' && 'return' in message
        ? [message, { event: 'QMPSPEC_NEWS', data: { news: 'none' }, timestamp: timestamp() }]
        : [message],
  },
} satisfies Record<string, Lie>;
