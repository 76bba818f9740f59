/** Streams in which one record or one command is not what it should be. */
import type { Lie } from './lie.js';
import { each, type Part, parts } from './stream-records.js';

const nothing = Buffer.alloc(0);
const dropped = (kind: Part['kind'], at: number) =>
  parts(each(kind, ({ bytes }, nth) => (nth === at ? nothing : bytes)));
const flagged = (bytes: Buffer, flag: number): Buffer => {
  bytes.writeUInt16BE(bytes.readUInt16BE(6) | flag, 6);
  return bytes;
};
/** Commands of a stream, by their numbers. */
const [ping, advise, listen, discard] = [2, 3, 4, 6];
const command = (number: number, change: (bytes: Buffer) => Buffer) =>
  parts(each('command', ({ bytes }) => (bytes.readUInt16BE(1) === number ? change(bytes) : bytes)));

export const aboutRecords = {
  'page-of-its-neighbour': {
    says: 'sends in the place of its third page the second one again',
    stream: parts(() => {
      let before: Buffer | undefined;
      let nth = 0;
      return ({ kind, bytes, head }) => {
        if (kind !== 'page') return bytes;
        const content = bytes.subarray(head);
        const told = ++nth === 3 && before !== undefined ? Buffer.concat([bytes.subarray(0, head), before]) : bytes;
        before = content;
        return told;
      };
    }),
  },
  'page-left-out': { says: 'leaves out its fourth page', stream: dropped('page', 4) },
  'page-told-twice': {
    says: 'sends its second page twice',
    stream: parts(each('page', ({ bytes }, nth) => (nth === 2 ? Buffer.concat([bytes, bytes]) : bytes))),
  },
  'zero-page-left-out': { says: 'leaves out its fourth page of zeros', stream: dropped('zero', 4) },
  'zero-page-whole': {
    says: 'sends its fourth page of zeros whole',
    stream: parts(
      each('zero', ({ bytes, head }, nth) => {
        if (nth !== 4) return bytes;
        const word = Buffer.from(bytes.subarray(0, head));
        word.writeUInt16BE((word.readUInt16BE(6) & ~2) | 8, 6);
        return Buffer.concat([word, Buffer.alloc(4096)]);
      }),
    ),
  },
  'zero-page-of-ones': {
    says: 'fills its fifth page of zeros with ones',
    stream: parts(
      each('zero', ({ bytes, head }, nth) => {
        if (nth === 5) bytes[head] = 1;
        return bytes;
      }),
    ),
  },
  'page-flag-unknown': {
    says: 'sets a flag of its own in its fifth page',
    stream: parts(each('page', ({ bytes }, nth) => (nth === 5 ? flagged(bytes, 0x800) : bytes))),
  },
  'page-shifted': {
    says: 'sends its sixth page under the address of the next one',
    stream: parts(each('page', ({ bytes }, nth) => (nth === 6 ? flagged(bytes, 0x1000) : bytes))),
  },
  'delta-damaged': {
    says: 'damages the last byte of each delta',
    stream: parts(
      each('xbzrle', ({ bytes }) => {
        bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
        return bytes;
      }),
    ),
  },
  'second-footer-wrong': {
    says: 'ends its second section with another number',
    stream: parts(
      each('footer', ({ bytes }, nth) => {
        if (nth === 2) bytes[4] = (bytes[4] as number) + 1;
        return bytes;
      }),
    ),
  },
  'globalstate-of-a-later-version': {
    says: 'calls its globalstate section version 2',
    stream: () => (chunk) => {
      const at = chunk.indexOf('\x0bglobalstate', 0, 'latin1');
      const version = at + 19;
      if (at >= 0 && version < chunk.length) chunk[version] = 2;
      return chunk;
    },
  },
  'sections-end-twice': {
    says: 'ends the body of its second section twice',
    stream: parts(each('end', ({ bytes }, nth) => (nth === 2 ? Buffer.concat([bytes, bytes]) : bytes))),
  },
  'pings-by-two': {
    says: 'pings with even numbers',
    stream: command(ping as number, (bytes) => {
      bytes[8] = 2 * (bytes[8] as number);
      return bytes;
    }),
  },
  'pings-left-out': { says: 'does not ping', stream: command(ping as number, () => nothing) },
  'postcopy-unadvised': { says: 'does not advise of postcopy', stream: command(advise as number, () => nothing) },
  'advice-of-huge-pages': {
    says: 'advises of postcopy with pages of 8 KiB',
    stream: command(advise as number, (bytes) => {
      if (bytes.length >= 21) bytes[19] = 0x20;
      return bytes;
    }),
  },
  'discards-left-out': { says: 'discards no page before postcopy', stream: command(discard as number, () => nothing) },
  'listening-twice': {
    says: 'tells the destination twice to listen',
    stream: command(listen as number, (bytes) => Buffer.concat([bytes, bytes])),
  },
  'discards-told-twice': {
    says: 'tells twice what is to be discarded',
    stream: command(discard, (bytes) => Buffer.concat([bytes, bytes])),
  },
} satisfies Record<string, Lie>;
