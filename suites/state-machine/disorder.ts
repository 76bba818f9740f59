/** Postcopy commands of a stream in a wrong place (state-machine.md §4.3). */
import type { StreamWriter } from '../../reference/stream/stream-writer.js';
import { block, type Feed } from './feed.js';

/** Row, what is wrong, how to write it, the defect of releases that die of it. */
export const disorder: readonly (readonly [string, string, (feed: Feed, writer: StreamWriter) => void, string?])[] = [
  [
    'MIG-SM-I31.twice',
    'a second advice',
    (feed, writer) => {
      feed.begin().returnPath();
      writer.postcopyAdvise(4096);
      writer.postcopyAdvise(4096);
    },
    'MIG-DEF-12',
  ],
  [
    'MIG-SM-I31.length',
    'an advice of another length',
    (feed, writer) => {
      feed.begin().returnPath();
      writer.command('POSTCOPY_ADVISE', Buffer.alloc(8));
    },
    'MIG-DEF-12',
  ],
  [
    'MIG-SM-I31.empty',
    'an advice without page sizes',
    (feed, writer) => {
      feed.begin().returnPath();
      writer.postcopyAdvise();
    },
    'MIG-DEF-12',
  ],
  [
    'MIG-SM-I31.sizes',
    'an advice with other page sizes',
    (feed, writer) => {
      feed.begin().returnPath();
      writer.postcopyAdvise(8192);
    },
    'MIG-DEF-12',
  ],
  [
    'MIG-SM-I33',
    'a discard that was not advised',
    (feed, writer) => {
      feed.begin().returnPath().ramSetup();
      writer.postcopyDiscard(block.name, [{ start: 0, length: 4096 }]);
    },
  ],
  [
    'MIG-SM-I35',
    'a listen that was not advised',
    (feed) => {
      feed.begin().returnPath().ramSetup().package('POSTCOPY_LISTEN');
    },
  ],
  [
    'MIG-SM-I37',
    'a run without a listen',
    (feed) => {
      feed.begin().returnPath().ramSetup().package('POSTCOPY_RUN');
    },
    'MIG-DEF-13',
  ],
  [
    'MIG-SM-I40',
    'a ping without a return path',
    (feed, writer) => {
      feed.begin();
      writer.ping(1);
    },
  ],
];
