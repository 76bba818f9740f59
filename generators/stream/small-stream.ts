/** Small well-formed streams with the place of every item, record and field in them. */
import { deflateSync } from 'node:zlib';
import type { StreamRules } from '../../reference/dialects/stream.js';
import { encodeGlobalState, encodeTimer } from '../../reference/stream/device-layout.js';
import { StreamWriter } from '../../reference/stream/stream-writer.js';
import type { Random, Span } from './mutate-stream.js';

const pageSize = 4096;

export interface SmallStream {
  readonly mode: (typeof modes)[number];
  readonly bytes: Buffer;
  readonly spans: readonly Span[];
}

/** What a small stream is about. */
export const modes = ['plain', 'xbzrle', 'compress', 'return-path', 'postcopy', 'package', 'configuration'] as const;

/** @param ramBytes RAM of the machine that it fits, `-M none` with one block `ram` */
export function smallStream(
  rules: StreamRules,
  ramBytes: number,
  mode: SmallStream['mode'],
  random: Random,
): SmallStream {
  const writer = new StreamWriter(rules);
  const parts: Buffer[] = [];
  const spans: Span[] = [];
  let at = 0;
  /** What is written by `write` is one span, and its first bytes are fields of these widths. */
  const span = (kind: Span['kind'], widths: readonly number[], write: () => void) => {
    const from = at;
    write();
    const bytes = writer.out.takeJoined();
    parts.push(bytes);
    at += bytes.length;
    spans.push({ kind, from, to: at });
    for (let to = from, i = 0; i < widths.length && to < at; i++) {
      const begin = to;
      to = Math.min(at, to + (widths[i] as number));
      spans.push({ kind: 'field', from: begin, to });
    }
  };
  const named = [1, 4, 1, 3, 4, 4] as const;
  const block = { name: 'ram' };
  const page = () => Math.floor(random() * (ramBytes / pageSize)) * pageSize;
  const filled = () => Buffer.alloc(pageSize, 1 + Math.floor(random() * 255));
  const section = (type: 'part' | 'end', records: () => void) => {
    span('item', [1, 4], () => writer[type](1));
    records();
    span('record', [8], () => writer.ram.eos());
    span('item', [1, 4], () => writer.footer());
  };
  const pages = (count: number) => {
    for (let i = 0; i < count; i++) {
      if (random() < 0.5) span('record', [8, 1, 3], () => writer.ram.zero(block, page()));
      else span('record', [8, 1, 3], () => writer.ram.page(block, page(), filled(), 0));
      if (mode === 'xbzrle')
        span('record', [8, 1, 2, 1, 1, 1], () => writer.ram.xbzrle(block, page(), Buffer.from([3, 2, 65, 66])));
      if (mode === 'compress')
        span('record', [8, 4, 2], () => writer.ram.compressed(block, page(), deflateSync(filled())));
    }
  };
  span('item', [4, 4], () => writer.header());
  const bits = Buffer.from([0, 0, 0, 12]);
  const more = mode === 'configuration' ? [{ name: 'configuration/target-page-bits', version: 1, body: bits }] : [];
  span('item', [1, 4, 4, 1, 1, 30, 4, 4], () => writer.configuration('none', more));
  if (mode === 'return-path' || mode === 'postcopy') {
    span('item', [1, 2, 2], () => writer.command('OPEN_RETURN_PATH'));
    span('item', [1, 2, 2, 4], () => writer.ping(1));
  }
  if (mode === 'postcopy') span('item', [1, 2, 2, 8, 8], () => writer.postcopyAdvise(4096));
  span('item', named, () => writer.start(1, 'ram', 0, 4));
  span('record', [8, 1, 3, 8], () => writer.ram.setup([{ name: 'ram', length: ramBytes }]));
  span('record', [8], () => writer.ram.eos());
  span('item', [1, 4], () => writer.footer());
  section('part', () => pages(4));
  const devices = (to: StreamWriter) => {
    to.device(0, 'timer', 0, 2, encodeTimer(0n, 0n));
    to.device(5, 'globalstate', 0, 1, encodeGlobalState(rules, 'running'));
  };
  if (mode === 'postcopy' || mode === 'package') {
    const inner = new StreamWriter(rules);
    if (mode === 'postcopy') {
      const ranges = [{ start: 0, length: ramBytes }];
      span('item', [1, 2, 2, 1, 1, 3, 1, 8, 8], () => writer.postcopyDiscard('ram', ranges));
      inner.command('POSTCOPY_LISTEN');
    }
    devices(inner);
    if (mode === 'postcopy') inner.command('POSTCOPY_RUN');
    else inner.eof();
    span('item', [1, 2, 2, 4, 1, 2, 2], () => writer.packaged(inner.out.takeJoined()));
    writer.ram.forgetBlock();
  }
  section('end', () => pages(2));
  if (mode !== 'postcopy') span('item', named, () => devices(writer));
  span('item', [1], () => writer.eof());
  if (mode !== 'postcopy') span('item', [1, 4], () => writer.vmdescription('{"page_size": 4096, "devices": []}'));
  return { mode, bytes: Buffer.concat(parts), spans };
}
