/** What is in a captured stream, read with the reference's reader (stream-format.md). */
import type { StreamRules } from '../../reference/dialects/stream.js';
import { createGuestRam, type GuestRam, pageSize } from '../../reference/ram/guest-ram.js';
import { type PageKind, RamFlag } from '../../reference/stream/format.js';
import { RamLoader } from '../../reference/stream/ram-loader.js';
import { ReceiverState } from '../../reference/stream/reader-context.js';
import type {
  SectionInfo,
  SetupEntry,
  StreamBlock,
  StreamCommand,
  StreamHandler,
} from '../../reference/stream/stream-handler.js';
import { StreamReader } from '../../reference/stream/stream-reader.js';
import type { Subsection } from '../../reference/stream/stream-writer.js';
import { giveRam, takeRam } from './spare-ram.js';

/** A page record as it stands in the stream. */
export interface RecordedPage {
  readonly kind: PageKind;
  readonly block: string;
  /** Position in the block. */
  readonly offset: number;
  /** The record has the CONTINUE flag, so no block name. */
  readonly continued: boolean;
  /** Fill byte, page, delta or zlib stream. */
  readonly payload: Buffer;
  /** Type of the section that it stands in, and how many `ram` sections came before that one. */
  readonly section: SectionInfo['type'];
  readonly sections: number;
  /** After POSTCOPY_LISTEN. */
  readonly postcopy: boolean;
}

export interface RecordedSection extends SectionInfo {
  /** Offset behind the section with its footer. */
  readonly end: number;
  readonly body: Buffer;
}

/** Most guest RAM that is rebuilt, in bytes. */
const largestRam = 256 * 2 ** 20;

/** The payloads of records of pages of one byte: most records are such. */
const fills = Array.from({ length: 256 }, (_, byte) => Buffer.of(byte));

/** Reads one connection, and goes on with further ones of the same migration. */
export class Recording implements StreamHandler {
  machine: string | undefined;
  readonly subsections: Subsection[] = [];
  readonly sections: RecordedSection[] = [];
  readonly commands: StreamCommand[] = [];
  readonly pages: RecordedPage[] = [];
  readonly setup: SetupEntry[] = [];
  readonly messages: string[] = [];
  total = 0;
  eos = 0;
  flushes = 0;
  description: string | undefined;
  /** Announced length of the vmdescription. */
  descriptionLength = 0;
  eofAt: number | undefined;
  /** Words in stream order: `START ram`, `PING 1`, `EOF`, … */
  readonly words: string[] = [];
  status: StreamReader['status'] = 'reading';
  /** Bytes that were not read. */
  rest = Buffer.alloc(0);
  /** Why it cannot be read, with the place; undefined when it can. */
  problem: string | undefined;
  private ram: GuestRam | undefined;
  /** What came beside the stream. */
  private readonly placed: { readonly block: string; readonly offset: number }[] = [];
  private loader: RamLoader | undefined;
  private receiver = new ReceiverState();
  private open: SectionInfo | undefined;
  private body = Buffer.alloc(0);
  private ramSections = 0;
  private postcopy = false;
  private all: Buffer = Buffer.alloc(0);
  private reader: StreamReader | undefined;

  constructor(private readonly rules: StreamRules) {}

  /** Reads a whole connection. `recovery`: it begins without a header. */
  read(bytes: Buffer, recovery = false): this {
    this.all = bytes;
    // A peer of ours says that nothing has come, so everything comes again.
    if (recovery && this.ram !== undefined) this.loader = new RamLoader(this.ram);
    const reader = new StreamReader({ rules: this.rules, recovery, state: this.receiver }, this);
    this.reader = reader;
    try {
      reader.push(bytes);
      reader.end();
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
    this.status = reader.status;
    this.rest = Buffer.from(reader.takeRest());
    this.receiver = reader.state;
    return this;
  }

  configuration(name: string): void {
    this.machine = name;
    this.words.push('configuration');
  }

  configurationSubsection(subsection: Subsection): void {
    this.subsections.push({ ...subsection, body: Buffer.from(subsection.body) });
  }

  sectionBegin(section: SectionInfo): void {
    this.open = section;
    this.body = Buffer.alloc(0);
    if (section.idstr === 'ram') this.ramSections++;
    const type = ['', 'START', 'PART', 'END', 'FULL'][section.type];
    this.words.push(`${type} ${section.idstr}`);
  }

  sectionEnd(section: SectionInfo, end: number): void {
    this.sections.push({ ...section, end, body: this.body });
    this.open = undefined;
  }

  ramSetup(total: number): void {
    this.total = total;
  }

  ramSetupBlock(entry: SetupEntry): void {
    this.setup.push(entry);
    const size = this.setup.reduce((sum, { length }) => sum + length, 0);
    if (size > largestRam) return;
    const specs = this.setup.map(({ block, length }) => ({ name: block.name, size: length }));
    // In plain buffers: a kernel in WebAssembly would cost more than the few pages that come here.
    this.release();
    this.ram = createGuestRam(specs, () => undefined, takeRam);
    this.loader = new RamLoader(this.ram, true, true);
  }

  ramPage(block: StreamBlock, offset: number, kind: PageKind, bytes: Buffer, start: number, length: number): void {
    const extra = kind === RamFlag.xbzrle ? 3 : kind === RamFlag.compressed ? 4 : 0;
    const header = start - extra - 8;
    const continued = header >= 0 && bytes.readUInt32BE(header + 4) === (offset | kind | RamFlag.continue) >>> 0;
    const { open, ramSections: sections, postcopy } = this;
    const fill = kind === RamFlag.zero ? fills[bytes[start] as number] : undefined;
    const payload = fill ?? this.kept(bytes.subarray(start, start + length));
    const section = (open as SectionInfo).type;
    this.pages.push({ kind, block: block.name, offset, continued, payload, section, sections, postcopy });
    this.loader?.ramPage(block, offset, kind, bytes, start, length);
  }

  /** Something of the stream, for as long as this is: what the reader has joined is used again, the stream's bytes are not. */
  private kept(part: Buffer): Buffer {
    const { buffer, byteOffset, length } = this.all;
    const from = part.byteOffset - byteOffset;
    return part.buffer === buffer && from >= 0 && from + part.length <= length ? part : Buffer.from(part);
  }

  ramEos(): void {
    this.eos++;
  }

  ramFlush(): void {
    this.flushes++;
  }

  device(_section: SectionInfo, body: Buffer): void {
    this.body = Buffer.from(body);
  }

  command(command: StreamCommand): void {
    this.commands.push(command);
    const { name, value } = command;
    this.words.push(name === 'PING' ? `PING ${value}` : name);
    if (name === 'POSTCOPY_RAM_DISCARD' && command.block !== undefined) {
      this.loader?.discard(command.block, command.ranges ?? []);
    }
    if (name === 'POSTCOPY_LISTEN') {
      this.postcopy = true;
      this.loader?.listen();
    }
  }

  eof(): void {
    this.eofAt = (this.reader?.offset ?? 0) - 1;
    this.words.push('EOF');
  }

  vmdescription(text: string, length: number): void {
    this.description = text;
    this.descriptionLength = length;
    this.words.push('vmdescription');
  }

  message(line: string): void {
    this.messages.push(line);
  }

  /** The stream's bytes `[from, to)`. */
  bytes(from: number, to: number): Buffer {
    return this.all.subarray(from, to);
  }

  /** What the block `name` holds after the last record. */
  contents(name: string): Buffer | undefined {
    return this.ram?.block(name)?.bytes;
  }

  /** Puts a page that came beside the stream into the rebuilt RAM. */
  place(name: string, offset: number, page: Buffer): void {
    const block = this.ram?.block(name);
    if (block === undefined) return;
    page.copy(block.bytes, offset, 0, pageSize);
    this.placed.push({ block: name, offset });
  }

  /** The rebuilt RAM is not needed any more. */
  release(): void {
    const { ram } = this;
    [this.ram, this.loader] = [undefined, undefined];
    if (ram === undefined) return;
    const written = this.pages.filter(({ payload }) => payload !== fills[0]);
    for (const { block, offset } of [...written, ...this.placed]) {
      ram.block(block)?.bytes.fill(0, offset, offset + pageSize);
    }
    for (const { bytes } of ram.blocks) giveRam(bytes);
  }
}

/** First page in which RAM differs from what it must hold, or -1. @param expected its beginning; zeros follow */
export function firstDifference(ram: Buffer, expected: Buffer): number {
  const length = Math.min(ram.length, expected.length);
  for (let at = 0; at < ram.length; ) {
    const head = at < length;
    const size = head ? length : Math.min(zeros.length, ram.length - at);
    const other = head ? expected : zeros;
    if (ram.compare(other, 0, size, at, at + size) !== 0) {
      const byte = ram.subarray(at, at + size).findIndex((value, i) => value !== other[i]);
      return Math.floor((at + byte) / pageSize);
    }
    at += size;
  }
  return expected.length > length ? Math.floor(length / pageSize) : -1;
}

const zeros = Buffer.alloc(256 * 1024);
