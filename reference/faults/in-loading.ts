/** Destinations that read, load or answer wrong. */

import type { WireFaults } from '../migration/wire-faults.js';
import { DirtyBitmap } from '../ram/dirty-bitmap.js';
import { pageSize } from '../ram/guest-ram.js';
import { type PageKind, RamFlag } from '../stream/format.js';
import type { LocalMachine } from '../stream/local-machine.js';
import type { ReturnPathWriter } from '../stream/return-path-writer.js';
import { StreamError } from '../stream/stream-error.js';
import type { StreamHandler } from '../stream/stream-handler.js';
import { inArea } from './fault.js';
import { instead } from './instead.js';

const fault = (title: string, rows: readonly string[], wire: WireFaults) => ({ title, rows, wire });
type Page = NonNullable<StreamHandler['ramPage']>;
/** Does something else with page records. */
const pages = (change: (honest: Page) => Page): WireFaults => ({
  handler: (handler) => ({ ...handler, ramPage: change((...args) => handler.ramPage?.(...args)) }),
});
const without = (...kinds: readonly PageKind[]): WireFaults =>
  pages((honest) => (block, offset, kind, ...rest) => {
    if (!kinds.includes(kind)) honest(block, offset, kind, ...rest);
  });
/** Lets damaged pages of a kind pass. */
const lenient = (wanted: PageKind): WireFaults =>
  pages((honest) => (block, offset, kind, ...rest) => {
    try {
      honest(block, offset, kind, ...rest);
    } catch (error) {
      if (kind !== wanted || !(error instanceof StreamError)) throw error;
    }
  });
/** Takes its own machine for another one. */
const machine = (change: (local: LocalMachine) => LocalMachine): WireFaults => ({
  reader: (options) => (options.local === undefined ? options : { ...options, local: change(options.local) }),
});
const answers = (change: (writer: ReturnPathWriter) => void): WireFaults => ({ returnPath: change });

export const loadFaults = inArea('destination', {
  'footers-unexpected': fault('expects no footers', ['MIG-STR-SEC-10', 'MIG-STR-RAM-20'], {
    reader: (options) => ({ ...options, footers: false }),
  }),
  'length-unchecked': fault(
    'accepts a block that is shorter than its own',
    ['MIG-STR-BAD-31'],
    machine((local) => ({ ...local, blocks: local.blocks.map((block) => ({ ...block, maxLength: block.length })) })),
  ),
  'compressed-unasked': fault(
    'accepts compressed pages without the capability',
    ['MIG-STR-ZIP-12'],
    machine((local) => ({ ...local, capabilities: new Set([...local.capabilities, 'compress']) })),
  ),
  'uuid-unchecked': {
    ...fault(
      'accepts the UUID of another machine',
      ['MIG-STR-HDR-10'],
      machine(({ uuid: _, ...local }) => local),
    ),
    dialect: '7.2',
  },
  'pages-misplaced': fault(
    'puts pages where their neighbours belong',
    ['MIG-STR-RAM-20'],
    pages(
      (honest) =>
        (block, offset, ...rest) =>
          honest(block, offset ^ pageSize, ...rest),
    ),
  ),
  'pages-lost': fault('throws pages away', ['MIG-STR-RAM-20'], without(RamFlag.page)),
  'zero-records-ignored': fault('passes ZERO records over', ['MIG-STR-RAM-21'], without(RamFlag.zero)),
  'fill-byte-ignored': fault(
    'fills with 0 whatever a ZERO record says',
    ['MIG-STR-RAM-27'],
    pages((honest) => (block, offset, kind, bytes, start, length) => {
      if (kind === RamFlag.zero) honest(block, offset, kind, Buffer.alloc(1), 0, 1);
      else honest(block, offset, kind, bytes, start, length);
    }),
  ),
  'deltas-ignored': fault('passes XBZRLE records over', ['MIG-XBZ-DEC-01', 'MIG-XBZ-DEC-03'], without(RamFlag.xbzrle)),
  'deltas-unchecked': fault('accepts malformed deltas', ['MIG-XBZ-DEC-10'], lenient(RamFlag.xbzrle)),
  'compressed-unchecked': fault('accepts damaged compressed pages', ['MIG-STR-ZIP-13'], lenient(RamFlag.compressed)),
  'stored-run-state-ignored': fault(
    'takes no notice of the run state in the stream',
    ['MIG-STR-DEV-12', 'MIG-STR-DEV-11'],
    {
      handler: ({ device: _, ...handler }) => handler,
    },
  ),
  'discards-ignored': fault('keeps what it is told to discard', ['MIG-STR-PC-31'], {
    handler: (handler, loader) => {
      instead(loader, 'discard', () => () => undefined);
      return handler;
    },
  }),
  'present-pages-overwritten': fault('takes a page again that it has, in postcopy', ['MIG-STR-PC-34'], {
    handler: (handler, loader) => {
      instead(loader, 'listen', () => () => undefined);
      return handler;
    },
  }),
});

export const returnPathFaults = inArea('return path', {
  'pong-value-wrong': fault(
    'answers pings with another value',
    ['MIG-STR-CMD-10'],
    answers((w) => instead(w, 'pong', (honest) => (value) => honest(value ^ 1))),
  ),
  'pong-lost': fault(
    'does not answer pings',
    ['MIG-STR-CMD-10'],
    answers((w) => instead(w, 'pong', () => () => Buffer.alloc(0))),
  ),
  'shut-lost': fault(
    'closes without the last message',
    ['MIG-SM-I21', 'MIG-STR-PC-32', 'MIG-STR-CMD-11'],
    answers((w) => instead(w, 'shut', () => () => Buffer.alloc(0))),
  ),
  'shut-value-wrong': fault(
    'reports an error after a load that went well',
    ['MIG-SM-I21', 'MIG-STR-PC-32', 'MIG-STR-CMD-11'],
    answers((w) => instead(w, 'shut', (honest) => (value) => honest(value + 1))),
  ),
  'resume-ack-wrong': fault(
    'acknowledges a recovery with another value',
    ['MIG-STR-PC-40'],
    answers((w) => instead(w, 'resumeAck', (honest) => () => honest(2))),
  ),
  'received-bitmap-inverted': fault(
    'tells which pages have not come instead of those that have',
    ['MIG-STR-PC-40'],
    answers((w) =>
      instead(w, 'receivedBitmap', (honest) => (block, received) => {
        const other = new DirtyBitmap(received.pages);
        other.setComplement(received);
        return honest(block, other);
      }),
    ),
  ),
});
