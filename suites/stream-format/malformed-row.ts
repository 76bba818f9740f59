/** One malformed stream, and ways to write what comes before and after the place that is wrong. */
import type { StreamWriter } from '../../reference/stream/stream-writer.js';
import type { Needs } from '../requirement.js';
import type { Feed } from '../state-machine/feed.js';
import { ramId, ramStart } from './loading.js';

export type Write = (writer: StreamWriter, feed: Feed) => void;

/** Row, what is wrong, how to write it, what a real destination says of it; `cut`: the stream ends there. */
export interface Row {
  readonly id: string;
  readonly what: string;
  readonly write: Write;
  readonly line?: RegExp;
  readonly cut?: boolean;
  readonly magic?: boolean;
  readonly needs?: Needs;
  /** Known defect of releases that die of it. */
  readonly defect?: string;
}

export const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');
/** The first eight bytes of a record: address and flags. */
export function recordHead(page: number, flags: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(page * 4096 + flags));
  return bytes;
}
export const raw =
  (text: string): Write =>
  (writer) =>
    writer.out.bytes(hex(text));

/** Behind the configuration, with the end mark where the stream is not cut. */
export const begun =
  (write: Write): Write =>
  (writer, feed) => {
    feed.begin();
    write(writer, feed);
    feed.end();
  };
/** Inside a PART section of `ram`, the memory being announced. */
export const inPart = (write: Write): Write =>
  begun((writer, feed) => {
    ramStart(writer);
    writer.part(ramId);
    write(writer, feed);
    writer.ram.eos();
    writer.footer();
  });
/** As {@link inPart}, with nothing behind. */
export const cutInPart =
  (write: Write): Write =>
  (writer, feed) => {
    feed.begin();
    ramStart(writer);
    writer.part(ramId);
    write(writer, feed);
  };
export const cutBehind =
  (write: Write): Write =>
  (writer, feed) => {
    feed.begin();
    write(writer, feed);
  };
