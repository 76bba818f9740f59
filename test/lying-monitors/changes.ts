/** What lies of several kinds do with what passes. */
import type { JsonObject } from '../../protocol/json.js';
import type { Lie, StreamChange } from './lie.js';

/** Keeps an event back until another one has come; both of one side. */
export const behind =
  (
    late: (event: JsonObject) => boolean,
    other: (event: JsonObject) => boolean,
    at?: 'source' | 'destination',
  ): NonNullable<Lie['down']> =>
  (message, { memory, incoming }) => {
    if (at !== undefined && (at === 'destination') !== incoming) return [message];
    if ('event' in message && late(message)) {
      memory.set('behind', message);
      return [];
    }
    const kept = memory.get('behind') as JsonObject | undefined;
    if (kept === undefined || !('event' in message && other(message))) return [message];
    memory.delete('behind');
    return [message, kept];
  };

/** Lets only so many bytes of a stream pass. */
export const beginOf =
  (bytes: number): (() => StreamChange) =>
  () => {
    let left = bytes;
    return (chunk) => {
      const piece = chunk.subarray(0, left);
      left -= piece.length;
      return piece;
    };
  };

/** Changes one byte of the stream, counted from its begin. */
export const byteAt =
  (at: number, change: (byte: number) => number): (() => StreamChange) =>
  () => {
    let begin = 0;
    return (chunk) => {
      const index = at - begin;
      begin += chunk.length;
      if (index < 0 || index >= chunk.length) return chunk;
      const copy = Buffer.from(chunk);
      copy[index] = change(copy[index] as number) & 255;
      return copy;
    };
  };
