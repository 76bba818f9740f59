/** Small well-formed return paths, with the place of every message and field in them (stream-format.md §8). */
import type { StreamRules } from '../../reference/dialects/stream.js';
import { DirtyBitmap } from '../../reference/ram/dirty-bitmap.js';
import { ReturnPathWriter } from '../../reference/stream/return-path-writer.js';
import type { Random, Span } from './mutate-stream.js';

const pageSize = 4096;

/** What a small return path is about: an answer to a precopy, page requests, or the talk of a recovery. */
export const returnPathModes = ['precopy', 'requests', 'recovery'] as const;
export type ReturnPathMode = (typeof returnPathModes)[number];

export interface SmallReturnPath {
  readonly mode: ReturnPathMode;
  readonly bytes: Buffer;
  readonly spans: readonly Span[];
}

/** @param ramBytes RAM of the source that it answers, one block `ram` */
export function smallReturnPath(
  rules: StreamRules,
  ramBytes: number,
  mode: ReturnPathMode,
  random: Random,
): SmallReturnPath {
  const writer = new ReturnPathWriter();
  const parts: Buffer[] = [];
  const spans: Span[] = [];
  let at = 0;
  /** A message whose first bytes are fields of these widths. */
  const message = (bytes: Buffer, ...widths: number[]) => {
    parts.push(bytes);
    spans.push({ kind: 'record', from: at, to: at + bytes.length });
    const end = at + bytes.length;
    for (const width of [2, 2, ...widths]) {
      if (at >= end) break;
      spans.push({ kind: 'field', from: at, to: Math.min(end, at + width) });
      at += width;
    }
    at = end;
  };
  const pages = ramBytes / pageSize;
  const request = () => {
    const length = 1 + Math.floor(random() * 3);
    const page = Math.floor(random() * (pages - length + 1));
    message(writer.requestPages('ram', page * pageSize, length * pageSize), 8, 4, 1, 3);
  };
  if (mode === 'recovery') {
    const received = new DirtyBitmap(pages);
    for (let page = 0; page < pages; page++) if (random() < 0.5) received.set(page);
    const bits = Math.ceil(pages / 64) * 8;
    message(writer.receivedBitmap('ram', received), 1, 3, 8, bits, 8);
    message(writer.resumeAck(), 4);
  } else {
    message(writer.pong(1), 4);
    if (rules.returnPathTypes >= 7 && random() < 0.3) message(writer.switchoverAck());
  }
  if (mode !== 'precopy') {
    for (let left = 1 + Math.floor(random() * 4); left > 0; left--) request();
    if (mode === 'requests') for (const value of [2, 3, 4]) message(writer.pong(value), 4);
  }
  message(writer.shut(0), 4);
  return { mode, bytes: Buffer.concat(parts), spans };
}
