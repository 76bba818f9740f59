/** Migration streams that are written wrong. */
import { deflateSync, inflateSync } from 'node:zlib';
import type { Statistics } from '../migration/statistics.js';
import { pageSize } from '../ram/guest-ram.js';
import { RamFlag, SectionType } from '../stream/format.js';
import type { StreamWriter } from '../stream/stream-writer.js';
import { inArea } from './fault.js';
import { instead } from './instead.js';

const zeroes = Buffer.alloc(pageSize);
type Change = (writer: StreamWriter) => void;
const written = (title: string, rows: readonly string[], change: Change) => ({ title, rows, wire: { writer: change } });

/** A copy of the page with one byte changed. */
function damaged(source: Buffer, at: number): Buffer {
  const page = Buffer.from(source.subarray(at, at + pageSize));
  page[2000] = (page[2000] ?? 0) ^ 0xff;
  return page;
}

/** Processes that have begun a stream, by their figures: there is one set of them for all migrations. */
const hasSent = new WeakSet<Statistics>();

export const streamFaults = inArea('stream', {
  'stream-magic-wrong': written('begins its stream with QEVN', ['MIG-STR-HDR-01'], (w) =>
    instead(w, 'header', () => () => {
      w.out.be32(0x5145564e);
      w.out.be32(3);
    }),
  ),
  'stream-version-wrong': written('calls its stream version 4', ['MIG-STR-HDR-01'], (w) =>
    instead(w, 'header', () => () => {
      w.out.be32(0x5145564d);
      w.out.be32(4);
    }),
  ),
  'configuration-lost': written('sends no configuration', ['MIG-STR-HDR-02'], (w) =>
    instead(w, 'configuration', () => () => undefined),
  ),
  'machine-name-wrong': written('names another machine than its own', ['MIG-STR-HDR-02'], (w) =>
    instead(w, 'configuration', (honest) => (name, subsections) => honest(`${name}-1`, subsections)),
  ),
  'footers-lost': written('ends its sections without a footer', ['MIG-STR-SEC-04'], (w) =>
    instead(w, 'footer', () => () => undefined),
  ),
  'footer-id-wrong': written('puts another id into footers', ['MIG-STR-SEC-04'], (w) =>
    instead(w, 'footer', () => () => {
      w.out.u8(SectionType.footer);
      w.out.be32(99);
    }),
  ),
  'section-id-changes': written('continues a section under another id', ['MIG-STR-SEC-02'], (w) =>
    instead(w, 'part', (honest) => (id) => honest(id + 100)),
  ),
  'ram-version-old': written('calls its ram section version 3', ['MIG-STR-SEC-03'], (w) =>
    instead(w, 'start', (honest) => (id, idstr, instance, version) => honest(id, idstr, instance, version - 1)),
  ),
  'ram-instance-wrong': written('calls its ram section instance 1', ['MIG-STR-SEC-03'], (w) =>
    instead(w, 'start', (honest) => (id, idstr, instance, version) => honest(id, idstr, instance + 1, version)),
  ),
  'end-section-lost': written('ends the ram section with a PART', ['MIG-STR-SEC-01'], (w) =>
    instead(w, 'end', () => (id) => w.part(id)),
  ),
  'end-mark-lost': written('ends its stream without the end mark', ['MIG-STR-SEC-01'], (w) =>
    instead(w, 'eof', () => () => undefined),
  ),
  'end-record-lost': written('ends bodies of ram without the end record', ['MIG-STR-SEC-05'], (w) =>
    instead(w.ram, 'eos', () => () => 0),
  ),
  'description-lost': written('sends no vmdescription', ['MIG-STR-VMD-01'], (w) =>
    instead(w, 'vmdescription', () => () => undefined),
  ),
  'description-too-long': written('announces a longer vmdescription than it sends', ['MIG-STR-VMD-01'], (w) =>
    instead(w, 'vmdescription', () => (text) => {
      w.out.u8(SectionType.vmdescription);
      w.out.be32(text.length + 10);
      w.out.bytes(Buffer.from(text, 'latin1'));
    }),
  ),
  'description-sizes-wrong': written('describes fields of 8 bytes as 7', ['MIG-STR-VMD-02'], (w) =>
    instead(w, 'vmdescription', (honest) => (text) => honest(text.replaceAll(/("size" ?: )8\b/g, '$17'))),
  ),
  'description-empty': written('describes no device', ['MIG-STR-VMD-02'], (w) =>
    instead(w, 'vmdescription', (honest) => () => honest('{"page_size": 4096, "devices": []}')),
  ),
  'return-path-unopened': written('pings without having opened the return path', ['MIG-STR-CMD-02'], (w) =>
    instead(w, 'command', (honest) => (name, payload) => {
      if (name !== 'OPEN_RETURN_PATH') honest(name, payload);
    }),
  ),
  'colo-told-late': {
    ...written('tells that it is for COLO behind the first section', ['MIG-STR-CMD-02'], (w) => {
      let late: (() => void) | undefined;
      instead(w, 'command', (honest) => (name, payload) => {
        if (name === 'ENABLE_COLO') late = () => honest(name, payload);
        else honest(name, payload);
      });
      instead(w, 'footer', (honest) => () => {
        honest();
        late?.();
        late = undefined;
      });
    }),
    dialect: '7.2',
  },
  'ping-value-wrong': written('counts its pings from 0', ['MIG-STR-CMD-02', 'MIG-STR-PC-01'], (w) =>
    instead(w, 'ping', (honest) => (value) => honest(value - 1)),
  ),
  'setup-total-wrong': written('announces twice the RAM that it has', ['MIG-STR-RAM-01'], (w) =>
    instead(w.ram, 'setupTotal', (honest) => (total) => honest(total * 2)),
  ),
  'setup-name-wrong': written('announces a block under another name', ['MIG-STR-RAM-01'], (w) =>
    instead(w.ram, 'setupBlock', (honest) => (block) => honest({ ...block, name: 'memory' })),
  ),
  'zero-pages-whole': written('sends pages of zeros whole', ['MIG-STR-RAM-04'], (w) =>
    instead(w.ram, 'zero', () => (block, offset) => w.ram.page(block, offset, zeroes, 0)),
  ),
  'zero-fill-byte-wrong': written('fills pages of zeros with ones', ['MIG-STR-RAM-04', 'MIG-STR-RAM-02'], (w) =>
    instead(w.ram, 'zero', (honest) => (block, offset) => honest(block, offset, 1)),
  ),
  'zero-page-lost': written('leaves out a page of zeros', ['MIG-STR-RAM-03'], (w) =>
    instead(w.ram, 'zero', (honest) => (block, offset) => (offset === pageSize ? 0 : honest(block, offset))),
  ),
  'page-misplaced': written('sends pages under the address of their neighbours', ['MIG-STR-RAM-02'], (w) =>
    instead(w.ram, 'page', (honest) => (block, offset, source, at) => honest(block, offset ^ pageSize, source, at)),
  ),
  'page-damaged': written('changes a byte of every page', ['MIG-STR-RAM-02', 'MIG-STR-PC-01'], (w) =>
    instead(w.ram, 'page', (honest) => (block, offset, source, at) => honest(block, offset, damaged(source, at), 0)),
  ),
  'page-damaged-again': {
    title: 'changes a byte of the first page that a stream brings whole, where it is not the first stream',
    rows: ['MIG-STR-RAM-02'],
    wire: {
      source: (_, statistics, { ram }) => {
        let isSound = !hasSent.has(statistics);
        hasSent.add(statistics);
        instead(ram, 'page', (honest) => (block, offset, source, at) => {
          const [page, from] = isSound ? [source, at] : [damaged(source, at), 0];
          isSound = true;
          return honest(block, offset, page, from);
        });
      },
    },
  },
  'page-twice': written('sends every page twice', ['MIG-STR-RAM-03'], (w) =>
    instead(
      w.ram,
      'page',
      (honest) =>
        (...args) =>
          honest(...args) + honest(...args),
    ),
  ),
  'page-flags-combined': written('sets a second flag in page records', ['MIG-STR-RAM-02'], (w) =>
    instead(w.ram, 'page', (honest) => (block, offset, source, at) => honest(block, offset + RamFlag.zero, source, at)),
  ),
  'every-record-named': written('names the block in every record', ['MIG-STR-RAM-05'], (w) =>
    instead(w.ram, 'page', (honest) => (...args) => {
      w.ram.forgetBlock();
      return honest(...args);
    }),
  ),
  'described-as-shorter': written('describes numbers of its devices as half as long', ['MIG-STR-VMD-02'], (w) =>
    instead(w, 'vmdescription', (honest) => (text) => honest(text.replaceAll('"uint32"', '"uint16"'))),
  ),
  'run-state-stored-wrong': written('stores paused as the run state of a guest that ran', ['MIG-STR-DEV-03'], (w) =>
    instead(w, 'device', (honest) => (id, idstr, instance, version, body) => {
      if (idstr === 'globalstate') {
        body.fill(0, 4, 36);
        body.write('paused', 4, 'latin1');
      }
      honest(id, idstr, instance, version, body);
    }),
  ),
  'globalstate-lost': written('does not say what its guest did', ['MIG-STR-DEV-01', 'MIG-STR-DEV-03'], (w) =>
    instead(w, 'device', (honest) => (id, idstr, ...rest) => {
      if (idstr !== 'globalstate') honest(id, idstr, ...rest);
    }),
  ),
  'timer-short': written('sends 16 bytes of timer as version 2', ['MIG-STR-DEV-02'], (w) =>
    instead(
      w,
      'device',
      (honest) => (id, idstr, instance, version, body) =>
        honest(id, idstr, instance, version, idstr === 'timer' ? body.subarray(0, 16) : body),
    ),
  ),
  'timer-stands': written('says that its guest has never run', ['MIG-STR-DEV-02'], (w) =>
    instead(w, 'device', (honest) => (id, idstr, instance, version, body) => {
      if (idstr === 'timer') body.fill(0);
      honest(id, idstr, instance, version, body);
    }),
  ),
  'timer-rate-changes': written('counts the same ticks, however long its guest ran', ['MIG-STR-DEV-02'], (w) =>
    instead(w, 'device', (honest) => (id, idstr, instance, version, body) => {
      if (idstr === 'timer') body.writeBigInt64BE(1_000_000n);
      honest(id, idstr, instance, version, body);
    }),
  ),
});

const packed = (title: string, rows: readonly string[], change: (data: Buffer) => Buffer) =>
  written(title, rows, (w) =>
    instead(w.ram, 'compressed', (honest) => (block, offset, data) => honest(block, offset, change(data))),
  );

export const compressionFaults = inArea('compression', {
  'compress-level-ignored': packed('compresses with level 9, whatever compress-level is', ['MIG-STR-ZIP-02'], (data) =>
    deflateSync(inflateSync(data), { level: 9 }),
  ),
  'compressed-page-cut': packed('cuts the last bytes of compressed pages', ['MIG-STR-ZIP-01'], (data) =>
    data.subarray(0, -4),
  ),
  'compressed-page-short': packed('compresses less than a page', ['MIG-STR-ZIP-01'], (data) =>
    deflateSync(inflateSync(data).subarray(0, 4000), { level: 1 }),
  ),
  'compressed-named': written('names the block in compressed records', ['MIG-STR-ZIP-03'], (w) =>
    instead(w.ram, 'compressed', (honest) => (...args) => {
      w.ram.forgetBlock();
      return honest(...args);
    }),
  ),
});

export const postcopyFaults = inArea('postcopy', {
  'advise-page-size-wrong': written('advises of pages of 8 KiB', ['MIG-STR-CMD-03'], (w) =>
    instead(
      w,
      'postcopyAdvise',
      (honest) => (sizes, target) => honest(sizes === undefined ? sizes : sizes * 2, target),
    ),
  ),
  'advise-lost': written('does not advise of postcopy', ['MIG-STR-CMD-03'], (w) =>
    instead(w, 'postcopyAdvise', () => () => undefined),
  ),
  'discard-short': written('discards a page less than it will send', ['MIG-STR-PC-03', 'MIG-STR-PC-01'], (w) =>
    instead(
      w,
      'postcopyDiscard',
      (honest) => (block, ranges) =>
        honest(
          block,
          ranges.map(({ start, length }) => ({ start, length: Math.max(pageSize, length - pageSize) })),
        ),
    ),
  ),
  'discard-lost': written('switches to postcopy without a discard', ['MIG-STR-PC-01'], (w) =>
    instead(w, 'postcopyDiscard', () => () => undefined),
  ),
  'package-ping-lost': written('sends no PING 3 in the package', ['MIG-STR-PC-01'], (w) =>
    instead(w, 'ping', (honest) => (value) => {
      if (value !== 3) honest(value);
    }),
  ),
  'package-without-devices': written('sends no device in the package', ['MIG-STR-PC-06', 'MIG-STR-PC-01'], (w) =>
    instead(w, 'device', () => () => undefined),
  ),
  'postcopy-block-unnamed': written('goes on with the block of precopy after the switch', ['MIG-STR-PC-05'], (w) =>
    instead(w.ram, 'forgetBlock', () => () => undefined),
  ),
  'requests-ignored': {
    title: 'does not send what is asked for ahead of the rest',
    rows: ['MIG-STR-PC-07', 'MIG-STR-RAM-08'],
    wire: { source: (source) => instead(source, 'request', () => () => undefined) },
  },
  'released-ram-kept': {
    title: 'keeps the RAM that release-ram gives back',
    rows: ['MIG-STR-PC-09'],
    wire: {
      source: (source) =>
        Object.defineProperty(source, 'released', { get: () => undefined, set: () => undefined, configurable: true }),
    },
  },
});
