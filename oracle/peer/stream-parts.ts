/** Parts of a stream that we feed to a destination: right ones, wrong ones, in any order. */
import { deflateSync } from 'node:zlib';
import type { StreamRules } from '../../reference/dialects/stream.js';
import { encodeGlobalState } from '../../reference/stream/device-layout.js';
import { StreamWriter } from '../../reference/stream/stream-writer.js';
import { type FeedPart, fedMemory, fedUuid } from '../../targets/scenario.js';

/** The one RAM block of the machine that targets are started with. */
interface Block {
  readonly name: string;
  /** Bytes. */
  readonly length: number;
}

const pageSize = 4096;
/** Section ids are the sender's choice. */
const sections = { ram: 40, globalstate: 41 } as const;

type Write = (writer: StreamWriter, rules: StreamRules, block: Block) => void;

/** The configuration of a machine that says who it is. */
const identifiedBy =
  (uuid: Buffer): Write =>
  (writer) =>
    writer.configuration('none', [{ name: 'configuration/uuid', version: 1, body: uuid }]);

/** A package with these commands. */
const packageOf =
  (...commands: readonly ('POSTCOPY_LISTEN' | 'POSTCOPY_RUN')[]): Write =>
  (writer, rules) => {
    const inner = new StreamWriter(rules);
    for (const command of commands) inner.command(command);
    writer.packaged(inner.out.takeJoined());
  };

/** A part of section `ram` with the zero pages from `first` to before `end`. */
function zeros(writer: StreamWriter, block: Block, first: number, end: number): void {
  writer.part(sections.ram);
  writer.ram.forgetBlock();
  for (let page = first; page < end; page++) writer.ram.zero(block, page * pageSize);
  writer.ram.eos();
  writer.footer();
}

/** A part of section `ram` with these records. */
function records(writer: StreamWriter, write: (writer: StreamWriter['ram']) => void): void {
  writer.part(sections.ram);
  writer.ram.forgetBlock();
  write(writer.ram);
  writer.ram.eos();
  writer.footer();
}

/** Pages by what they come as; all of them are among the first sixteen. */
const places = { data: [0, 1, 2, 3, 4, 5], filled: [8, 9], compressed: [12] } as const;
/** What `filled` fills with. */
const fillByte = 0x5a;
/** Bytes 64 and 65 of the first page become these: 64 bytes stay, 2 change (xbzrle.md §2). */
const change = { at: 64, bytes: [0xa5, 0x5a] } as const;

/** No two pages are alike, and no byte is zero. */
function dataOf(page: number): Buffer {
  const bytes = Buffer.alloc(pageSize);
  for (let at = 0; at < pageSize; at++) bytes[at] = 1 + ((at * (2 * page + 3) + page * 31) % 255);
  return bytes;
}

const writes: Readonly<Record<FeedPart, Write>> = {
  header: (writer) => writer.header(),
  'bad-header': (writer) => writer.out.bytes(Buffer.from('QEVM\x00\x00\x00\x09', 'latin1')),
  configuration: (writer) => writer.configuration('none'),
  'other-machine': (writer) => writer.configuration('qmpspec'),
  identity: identifiedBy(Buffer.from(fedUuid.replaceAll('-', ''), 'hex')),
  'other-identity': identifiedBy(Buffer.alloc(16, 7)),
  'return-path': (writer) => writer.command('OPEN_RETURN_PATH'),
  advise: (writer) => writer.postcopyAdvise(pageSize),
  ram: (writer, _rules, block) => {
    writer.start(sections.ram, 'ram', 0, 4);
    writer.ram.setup([block]);
    writer.ram.eos();
    writer.footer();
  },
  pages: (writer, _rules, block) => zeros(writer, block, 0, 16),
  data: (writer, _rules, block) =>
    records(writer, (ram) => {
      for (const page of places.data) ram.page(block, page * pageSize, dataOf(page), 0);
    }),
  filled: (writer, _rules, block) =>
    records(writer, (ram) => {
      for (const page of places.filled) ram.zero(block, page * pageSize, fillByte);
    }),
  delta: (writer, _rules, block) =>
    records(writer, (ram) => ram.xbzrle(block, 0, Buffer.from([change.at, change.bytes.length, ...change.bytes]))),
  // It says that more follows than there is.
  'bad-delta': (writer, _rules, block) => records(writer, (ram) => ram.xbzrle(block, 0, Buffer.from([0, 9, 1]))),
  compressed: (writer, _rules, block) =>
    records(writer, (ram) => {
      for (const page of places.compressed) ram.compressed(block, page * pageSize, deflateSync(dataOf(page)));
    }),
  'bad-compressed': (writer, _rules, block) =>
    records(writer, (ram) => ram.compressed(block, 0, deflateSync(dataOf(0)).subarray(0, -9))),
  'short-ram': (writer, rules, block) => writes.ram(writer, rules, { ...block, length: block.length / 2 }),
  discard: (writer, _rules, block) => writer.postcopyDiscard(block.name, [{ start: 0, length: block.length }]),
  switch: packageOf('POSTCOPY_LISTEN', 'POSTCOPY_RUN'),
  listen: packageOf('POSTCOPY_LISTEN'),
  run: packageOf('POSTCOPY_RUN'),
  rest: (writer, _rules, block) => zeros(writer, block, 0, block.length / pageSize),
  'ram-end': (writer) => {
    writer.end(sections.ram);
    writer.ram.eos();
    writer.footer();
  },
  stopped: (writer, rules) =>
    writer.device(sections.globalstate, 'globalstate', 0, 1, encodeGlobalState(rules, 'paused')),
  end: (writer) => {
    writer.eof();
    writer.vmdescription('{}');
  },
  ping: (writer) => writer.ping(7),
  'recv-bitmap': (writer, _rules, block) => writer.recvBitmap(block.name),
  resume: (writer) => writer.command('POSTCOPY_RESUME'),
  garbage: (writer) => writer.out.bytes(Buffer.from('what is this?', 'latin1')),
};

/**
 * The bytes of these parts, one after the other.
 * @param ram bytes of guest RAM, 16 pages at least
 */
export function streamOf(parts: readonly FeedPart[], rules: StreamRules, ram = fedMemory << 20): Buffer {
  const writer = new StreamWriter(rules);
  for (const part of parts) writes[part](writer, rules, { name: 'ram', length: ram });
  return Buffer.from(writer.out.takeJoined());
}

/** What the RAM of a machine begins with that has loaded such a stream, zeros behind it. */
export function ramAfter(parts: readonly FeedPart[]): Buffer {
  const memory = Buffer.alloc(16 * pageSize);
  const at = (page: number) => page * pageSize;
  for (const part of parts) {
    if (part === 'data') for (const page of places.data) dataOf(page).copy(memory, at(page));
    else if (part === 'pages') memory.fill(0, 0, at(16));
    else if (part === 'discard' || part === 'rest') memory.fill(0);
    else if (part === 'compressed') for (const page of places.compressed) dataOf(page).copy(memory, at(page));
    else if (part === 'delta') Buffer.from(change.bytes).copy(memory, change.at);
    else if (part === 'filled') for (const page of places.filled) memory.fill(fillByte, at(page), at(page + 1));
  }
  return memory;
}
