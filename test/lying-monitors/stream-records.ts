/** The records of the `ram` section and the commands of a stream, one after the other, as far as a lie has to know them. */
import type { StreamChange } from './lie.js';

export interface Part {
  /** A command of the stream, or a record of RAM by what it holds. */
  readonly kind: 'command' | 'sizes' | 'zero' | 'page' | 'xbzrle' | 'end' | 'other' | 'footer';
  /** Its bytes, those of its header counted. */
  readonly bytes: Buffer;
  /** Bytes of the header with the name of the block, if there is one; of a command 5. */
  readonly head: number;
}

const types = { eof: 0, start: 1, part: 2, end: 3, subsection: 5, configuration: 7, command: 8, footer: 0x7e } as const;
const flags = { zero: 2, sizes: 4, page: 8, end: 0x10, same: 0x20, xbzrle: 0x40, flush: 0x200 } as const;
const pageSize = 4096;

/** How much of it a section's header takes; undefined where more has to come, 0 where nobody knows. */
function headOf(rest: Buffer): number | undefined {
  const type = rest[0] as number;
  if (type === types.configuration) return rest.length < 5 ? undefined : 5 + rest.readUInt32BE(1);
  if (type === types.part || type === types.end) return 5;
  if (type !== types.start) return 0;
  if (rest.length < 6) return undefined;
  const name = rest[5] as number;
  return rest.subarray(6, 6 + name).toString('latin1') === 'ram' || rest.length < 6 + name ? 6 + name + 8 : 0;
}

/** One record of RAM, once all of it is there; undefined before that, and null where it is of a kind that is not known. */
function recordOf(rest: Buffer): Part | null | undefined {
  if (rest.length < 9) return undefined;
  const word = rest.readBigUInt64BE(0);
  const flag = Number(word & 0xfffn);
  const of = (kind: Part['kind'], head: number, length: number): Part | undefined =>
    rest.length < length ? undefined : { kind, bytes: Buffer.from(rest.subarray(0, length)), head };
  if (flag & flags.end) return of('end', 8, 8);
  if (flag & flags.flush) return of('other', 8, 8);
  if (flag & flags.sizes) {
    let [left, at] = [Number(word & ~0xfffn), 8];
    for (; left > 0; at += 9 + (rest[at] as number)) {
      const size = at + 1 + (rest[at] as number);
      if (rest.length < size + 8) return undefined;
      left -= Number(rest.readBigUInt64BE(size));
    }
    return of('sizes', 8, at);
  }
  const head = flag & flags.same ? 8 : 9 + (rest[8] as number);
  if (flag & flags.zero) return of('zero', head, head + 1);
  if (flag & flags.page) return of('page', head, head + pageSize);
  if (flag & flags.xbzrle)
    return rest.length < head + 3 ? undefined : of('xbzrle', head, head + 3 + rest.readUInt16BE(head + 1));
  return null;
}

/** Changes what stands in a stream up to the first section of another kind, from which on it passes as it is. */
export const parts =
  (change: () => (part: Part) => Buffer): (() => StreamChange) =>
  () => {
    const changed = change();
    let rest: Buffer = Buffer.alloc(0);
    let where: 'begin' | 'sections' | 'ram' | 'beyond' = 'begin';
    return (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      const out: Buffer[] = [];
      const take = (length: number) => {
        out.push(rest.subarray(0, length));
        rest = rest.subarray(length);
      };
      const put = (part: Part) => {
        out.push(changed(part));
        rest = rest.subarray(part.bytes.length);
      };
      while (rest.length > 0 && where !== 'beyond') {
        if (where === 'begin') {
          if (rest.length < 8) break;
          take(8);
          where = 'sections';
        } else if (where === 'ram') {
          const record = recordOf(rest);
          if (record === undefined) break;
          if (record === null) where = 'beyond';
          else {
            if (record.kind === 'end') where = 'sections';
            put(record);
          }
        } else if (rest[0] === types.command || rest[0] === types.footer) {
          const command = rest[0] === types.command;
          if (rest.length < 5) break;
          const length = command ? 5 + rest.readUInt16BE(3) : 5;
          if (rest.length < length) break;
          put({ kind: command ? 'command' : 'footer', bytes: Buffer.from(rest.subarray(0, length)), head: 5 });
        } else {
          const type = rest[0];
          const head = headOf(rest);
          if (head === undefined || rest.length < head) break;
          if (head === 0) where = 'beyond';
          else take(head);
          if (head > 0 && type !== types.configuration) where = 'ram';
        }
      }
      if (where === 'beyond') take(rest.length);
      return Buffer.concat(out);
    };
  };

/** Changes what is of this kind; `nth` counts those of it from 1. */
export const each =
  (kind: Part['kind'], change: (part: Part, nth: number) => Buffer): (() => (part: Part) => Buffer) =>
  () => {
    let nth = 0;
    return (part) => (part.kind === kind ? change(part, ++nth) : part.bytes);
  };
