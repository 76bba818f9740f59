import { beginOf, byteAt } from './changes.js';
import type { Lie } from './lie.js';

export const aboutStreams = {
  'stream-magic': { says: 'begins streams with another magic number', stream: byteAt(0, (byte) => byte ^ 1) },
  'stream-version': { says: 'sends streams of version 4', stream: byteAt(7, () => 4) },
  'stream-section': { says: 'sends a section of a kind of its own first', stream: byteAt(8, () => 9) },
  'stream-cut': {
    says: 'sends only the begin of a stream',
    stream: beginOf(64),
  },
  'stream-doubled': {
    says: 'sends each piece of a stream twice',
    stream: () => (chunk) => Buffer.concat([chunk, chunk]),
  },
  'stream-bits': {
    says: 'sends RAM with a wrong bit now and then',
    stream: () => {
      let begin = 0;
      return (chunk) => {
        const copy = Buffer.from(chunk);
        for (let at = 2000 - (begin % 3000); at < copy.length; at += 3000)
          if (at >= 0) copy[at] = (copy[at] as number) ^ 4;
        begin += chunk.length;
        return copy;
      };
    },
  },
  'exit-after-bad-stream': {
    says: 'ends with status 0 when a stream cannot be loaded',
    exit: '[ $s = 1 ] && s=0; exit $s',
  },
  'exit-after-quit': { says: 'ends with status 1 when it is told to quit', exit: '[ $s = 0 ] && s=1; exit $s' },
} satisfies Record<string, Lie>;
