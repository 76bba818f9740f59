import { beginOf, byteAt } from './changes.js';
import type { Lie, StreamChange } from './lie.js';

const bitmap = 5;

/** Messages of a return path: each has a type, a length (16 bits each) and as many bytes; behind a bitmap's its bits follow. */
export const messages =
  (change: (type: number, message: Buffer) => Buffer): (() => StreamChange) =>
  () => {
    let rest: Buffer = Buffer.alloc(0);
    return (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      const out: Buffer[] = [];
      while (rest.length >= 4) {
        const type = rest.readUInt16BE(0);
        let end = 4 + rest.readUInt16BE(2);
        // Their number comes first, and a mark of 8 bytes last.
        if (type === bitmap) {
          if (rest.length < end + 8) break;
          end += 16 + Number(rest.readBigUInt64BE(end));
        }
        if (rest.length < end) break;
        out.push(change(type, Buffer.from(rest.subarray(0, end))));
        rest = rest.subarray(end);
      }
      return Buffer.concat(out);
    };
  };
const [shut, pong, request, requestAgain] = [1, 2, 4, 3];
const isRequest = (type: number): boolean => type === request || type === requestAgain;
const added = (at: number, more: number) => (message: Buffer) => {
  if (message.length > at) message[at] = ((message[at] as number) + more) & 255;
  return message;
};
const only =
  (type: number, change: (message: Buffer) => Buffer) =>
  (one: number, message: Buffer): Buffer =>
    one === type ? change(message) : message;

/** Begins with something else, as long as that is. */
const begins =
  (text: string): (() => StreamChange) =>
  () => {
    let done = 0;
    return (chunk) => {
      const copy = Buffer.from(chunk);
      const piece = Math.min(text.length - done, copy.length);
      copy.write(text.slice(done, done + piece), 0, 'latin1');
      done += piece;
      return copy;
    };
  };
/** Changes every byte of RAM that is this one, in pages that are not all alike. */
const everywhere =
  (change: (copy: Buffer) => void): (() => StreamChange) =>
  () =>
  (chunk) => {
    const copy = Buffer.from(chunk);
    change(copy);
    return copy;
  };

export const aboutTheWayBack = {
  'shut-with-error': {
    says: 'reports a failure after a good load',
    answering: messages(only(shut, added(7, 1))),
  },
  'shut-missing': { says: 'does not report the end of a load', answering: messages(only(shut, () => Buffer.alloc(0))) },
  'shut-twice': {
    says: 'reports the end of a load twice',
    answering: messages(only(shut, (message) => Buffer.concat([message, message]))),
  },
  'shut-first': {
    says: 'reports the end of a load when it begins',
    answering: () => {
      let begun = false;
      return (chunk) => {
        const first = begun ? [] : [Buffer.from([0, shut, 0, 4, 0, 0, 0, 0])];
        begun = true;
        return Buffer.concat([...first, chunk]);
      };
    },
  },
  'pong-wrong': { says: 'answers a ping with another number', answering: messages(only(pong, added(7, 1))) },
  'pong-missing': { says: 'does not answer pings', answering: messages(only(pong, () => Buffer.alloc(0))) },
  'pong-twice': {
    says: 'answers a ping twice',
    answering: messages(only(pong, (message) => Buffer.concat([message, message]))),
  },
  'requests-missing': {
    says: 'asks for no page',
    answering: messages((type, message) => (isRequest(type) ? Buffer.alloc(0) : message)),
  },
  'requests-misaligned': {
    says: 'asks for pages at odd addresses',
    answering: messages((type, message) => (isRequest(type) ? added(11, 8)(message) : message)),
  },
  'requests-of-two-pages': {
    says: 'asks for two pages at once',
    answering: messages((type, message) => (isRequest(type) ? added(14, 16)(message) : message)),
  },
  'resume-not-acknowledged': {
    says: 'does not acknowledge a resume',
    answering: messages(only(6, () => Buffer.alloc(0))),
  },
  'resume-acknowledged-wrongly': {
    says: 'acknowledges a resume with another number',
    answering: messages(only(6, added(7, 1))),
  },
  'bitmap-wrong': {
    says: 'tells other pages than it has received',
    answering: messages(
      only(bitmap, (message) => {
        for (let at = 4 + message.readUInt16BE(2) + 8; at < message.length - 8; at++)
          message[at] = (message[at] as number) ^ 255;
        return message;
      }),
    ),
  },
  'back-deaf': { says: 'hears nothing that a destination tells', back: () => () => Buffer.alloc(0) },
  'back-shut-ignored': {
    says: 'takes a failure that the destination reports for success',
    back: messages(only(shut, (message) => Buffer.from([...message.subarray(0, 4), 0, 0, 0, 0]))),
  },
  'back-garbage-ignored': {
    says: 'leaves out messages of a destination that it does not know',
    back: messages((type, message) => (type >= 1 && type <= 6 ? message : Buffer.alloc(0))),
  },
  'load-any-magic': { says: 'loads streams with any magic number', arriving: begins('QEVM') },
  'load-any-version': { says: 'loads streams of any version', arriving: byteAt(7, () => 3) },
  'load-flips-bits': {
    says: 'loads RAM with a wrong bit now and then',
    arriving: everywhere((copy) => {
      for (let at = 2500; at < copy.length; at += 4096) copy[at] = (copy[at] as number) ^ 1;
    }),
  },
  'load-cut': {
    says: 'reads the first 16 KiB of a stream',
    arriving: beginOf(16_384),
  },
  'stream-ends-early': {
    says: 'does not send the last bytes of a stream',
    stream: () => {
      let kept = Buffer.alloc(0);
      return (chunk) => {
        const all = Buffer.concat([kept, chunk]);
        const end = Math.max(0, all.length - 64);
        kept = all.subarray(end);
        return all.subarray(0, end);
      };
    },
  },
  'stream-footer-wrong': {
    says: 'ends sections with another number than they began with',
    stream: everywhere((copy) => {
      for (let at = copy.indexOf(0x7e); at >= 0 && at + 5 <= copy.length; at = copy.indexOf(0x7e, at + 1)) {
        if (copy.readUInt32BE(at + 1) < 64) copy.writeUInt32BE(copy.readUInt32BE(at + 1) + 64, at + 1);
      }
    }),
  },
  'stream-machine-wrong': { says: 'names another machine in its streams', stream: byteAt(13, (byte) => byte + 1) },
  'stream-description-wrong': {
    says: 'describes its devices with another page size',
    stream: everywhere((copy) => {
      const at = copy.indexOf('"page_size"');
      if (at >= 0) copy.write('"page_sizE"', at);
    }),
  },
} satisfies Record<string, Lie>;
