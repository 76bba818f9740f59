import type { StreamRules } from '../../../reference/dialects/stream.js';
import { writeBlockChunk } from '../../../reference/stream/block-writer.js';
import { writeBitmapChunk } from '../../../reference/stream/dirty-bitmap-writer.js';
import { type PageKind, RamFlag, SectionType } from '../../../reference/stream/format.js';
import type {
  BitmapChunk,
  BlockChunk,
  SectionInfo,
  SetupEntry,
  StreamBlock,
  StreamCommand,
  StreamHandler,
} from '../../../reference/stream/stream-handler.js';
import { StreamWriter, type StreamWriterOptions, type Subsection } from '../../../reference/stream/stream-writer.js';

/**
 * A handler that writes the stream it hears, item by item. A stream of a real source comes out byte for byte, because
 * the format leaves no choice; override methods to change what passes through.
 */
export class StreamCopier implements StreamHandler {
  writer: StreamWriter;
  readonly #outer: StreamWriter;

  constructor(
    private readonly rules: StreamRules,
    private readonly options: StreamWriterOptions = {},
  ) {
    this.#outer = new StreamWriter(rules, options);
    this.writer = this.#outer;
  }

  header(): void {
    this.writer.header();
  }

  configuration(machineName: string): void {
    this.writer.configuration(machineName);
  }

  configurationSubsection(subsection: Subsection): void {
    this.writer.subsection(subsection);
  }

  sectionBegin({ type, id, idstr, instance, version }: SectionInfo): void {
    if (type === SectionType.start) this.writer.start(id, idstr, instance, version);
    else if (type === SectionType.full) this.writer.full(id, idstr, instance, version);
    else if (type === SectionType.part) this.writer.part(id);
    else this.writer.end(id);
  }

  sectionEnd(_section: SectionInfo): void {
    this.writer.footer();
  }

  ramSetup(total: number): void {
    this.writer.ram.setupTotal(total);
  }

  ramSetupBlock({ block, length, pageSize, guestAddress }: SetupEntry): void {
    this.writer.ram.setupBlock({
      name: block.name,
      length,
      ...(pageSize === undefined ? {} : { pageSize }),
      ...(guestAddress === undefined ? {} : { guestAddress }),
    });
  }

  ramPage(block: StreamBlock, offset: number, kind: PageKind, bytes: Buffer, start: number, length: number): void {
    const { ram } = this.writer;
    switch (kind) {
      case RamFlag.zero:
        ram.zero(block, offset, bytes[start]);
        return;
      case RamFlag.page:
        ram.page(block, offset, bytes, start);
        return;
      case RamFlag.xbzrle:
        ram.xbzrle(block, offset, bytes.subarray(start, start + length));
        return;
      case RamFlag.compressed:
        ram.compressed(block, offset, bytes.subarray(start, start + length));
    }
  }

  ramEos(): void {
    this.writer.ram.eos();
  }

  ramFlush(): void {
    this.writer.ram.flush();
  }

  device(_section: SectionInfo, body: Buffer): void {
    this.writer.out.bytes(body);
  }

  blockChunk(chunk: BlockChunk): void {
    writeBlockChunk(this.writer.out, chunk);
  }

  bitmapChunk(chunk: BitmapChunk): void {
    writeBitmapChunk(this.writer.out, chunk);
  }

  command(command: StreamCommand): void {
    const { writer } = this;
    switch (command.name) {
      case 'PING':
        writer.ping(command.value ?? 0);
        return;
      case 'POSTCOPY_ADVISE':
        writer.postcopyAdvise(command.value, command.targetPageSize);
        return;
      case 'POSTCOPY_RAM_DISCARD':
        writer.postcopyDiscard(command.block ?? '', command.ranges ?? []);
        return;
      case 'RECV_BITMAP':
        writer.recvBitmap(command.block ?? '');
        return;
      case 'PACKAGED':
        return;
      case 'POSTCOPY_LISTEN':
        // A source names the block again at the switch (stream-format.md §5.2).
        this.#outer.ram.forgetBlock();
        writer.command(command.name);
        return;
      default:
        writer.command(command.name);
    }
  }

  packageBegin(_bytes: Buffer): void {
    this.writer = new StreamWriter(this.rules, this.options);
  }

  packageEnd(by: 'eof' | 'run'): void {
    if (by === 'eof') this.writer.eof();
    const items = this.writer.out.takeJoined();
    this.writer = this.#outer;
    this.writer.packaged(items);
  }

  eof(): void {
    this.writer.eof();
  }

  vmdescription(text: string, _length: number): void {
    this.writer.vmdescription(text);
  }
}
