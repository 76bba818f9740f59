import type { StreamCommandName, StreamRules } from '../dialects/stream.js';
import { ByteOutput } from './byte-output.js';
import { discardRangesPerCommand, SectionType, streamMagic, streamVersion } from './format.js';
import { RamRecordWriter } from './ram-record-writer.js';

/** A subsection of the configuration or of a device (stream-format.md §2). */
export interface Subsection {
  /** Full name, for example `configuration/uuid`. */
  readonly name: string;
  readonly version: number;
  readonly body: Buffer;
}

/** A byte range of a RAM block. */
export interface ByteRange {
  readonly start: number;
  readonly length: number;
}

export interface StreamWriterOptions {
  /** Write footers (property `send-section-footer`); default true. */
  readonly footers?: boolean;
  /** Bytes in one output buffer. */
  readonly chunkBytes?: number;
  /** The first of them, if it is there already. */
  readonly chunk?: Buffer | undefined;
}

/**
 * Writes a migration stream item by item (stream-format.md §1–§5). Nothing is sent: the bytes collect in {@link out}
 * until somebody takes them. The order of the items is the caller's, so that defective streams can be built too.
 */
export class StreamWriter {
  readonly out: ByteOutput;
  /** Records of the `ram` section, between {@link start}, {@link part} or {@link end} and {@link footer}. */
  readonly ram: RamRecordWriter;
  #section = 0;

  constructor(
    private readonly rules: StreamRules,
    private readonly options: StreamWriterOptions = {},
  ) {
    this.out = new ByteOutput(options.chunkBytes, options.chunk);
    this.ram = new RamRecordWriter(this.out);
  }

  header(): void {
    this.out.be32(streamMagic);
    this.out.be32(streamVersion);
  }

  configuration(machineName: string, subsections: readonly Subsection[] = []): void {
    this.out.u8(SectionType.configuration);
    this.out.be32(Buffer.byteLength(machineName, 'latin1'));
    this.out.bytes(Buffer.from(machineName, 'latin1'));
    for (const subsection of subsections) this.subsection(subsection);
  }

  subsection(subsection: Subsection): void {
    this.out.u8(SectionType.subsection);
    this.out.str8(subsection.name);
    this.out.be32(subsection.version);
    this.out.bytes(subsection.body);
  }

  /** Begins a START section; {@link footer} ends it. */
  start(id: number, idstr: string, instance: number, version: number): void {
    this.#named(SectionType.start, id, idstr, instance, version);
  }

  /** Begins a FULL section; {@link footer} ends it. */
  full(id: number, idstr: string, instance: number, version: number): void {
    this.#named(SectionType.full, id, idstr, instance, version);
  }

  /** Begins a PART section; {@link footer} ends it. */
  part(id: number): void {
    this.#section = id;
    this.out.u8(SectionType.part);
    this.out.be32(id);
  }

  /** Begins an END section; {@link footer} ends it. */
  end(id: number): void {
    this.#section = id;
    this.out.u8(SectionType.end);
    this.out.be32(id);
  }

  /** Ends the body of the section that was begun last. */
  footer(): void {
    if (this.options.footers === false) return;
    this.out.u8(SectionType.footer);
    this.out.be32(this.#section);
  }

  /** A whole device section. */
  device(id: number, idstr: string, instance: number, version: number, body: Buffer): void {
    this.full(id, idstr, instance, version);
    this.out.bytes(body);
    this.footer();
  }

  /** @throws RangeError for a command that the dialect does not have */
  command(name: StreamCommandName, payload: Buffer = Buffer.alloc(0)): void {
    const number = this.rules.commands.indexOf(name);
    if (number === -1) throw new RangeError(`this dialect has no stream command ${name}`);
    this.rawCommand(number, payload);
  }

  rawCommand(number: number, payload: Buffer): void {
    this.out.u8(SectionType.command);
    this.out.be16(number);
    this.out.be16(payload.length);
    this.out.bytes(payload);
  }

  ping(value: number): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(value);
    this.command('PING', payload);
  }

  /** Advises postcopy of RAM; without arguments only of dirty bitmaps. */
  postcopyAdvise(ramPageSizes?: number, targetPageSize = 4096): void {
    if (ramPageSizes === undefined) {
      this.command('POSTCOPY_ADVISE');
      return;
    }
    const payload = Buffer.alloc(16);
    payload.writeBigUInt64BE(BigInt(ramPageSizes), 0);
    payload.writeBigUInt64BE(BigInt(targetPageSize), 8);
    this.command('POSTCOPY_ADVISE', payload);
  }

  /** Discards of one block, in as many commands as a real source would use. */
  postcopyDiscard(block: string, ranges: readonly ByteRange[]): void {
    const name = Buffer.from(block, 'latin1');
    for (let at = 0; at < ranges.length; at += discardRangesPerCommand) {
      const some = ranges.slice(at, at + discardRangesPerCommand);
      const payload = Buffer.alloc(3 + name.length + 16 * some.length);
      payload[1] = name.length;
      name.copy(payload, 2);
      some.forEach(({ start, length }, i) => {
        payload.writeBigUInt64BE(BigInt(start), 3 + name.length + 16 * i);
        payload.writeBigUInt64BE(BigInt(length), 11 + name.length + 16 * i);
      });
      this.command('POSTCOPY_RAM_DISCARD', payload);
    }
  }

  recvBitmap(block: string): void {
    const name = Buffer.from(block, 'latin1');
    this.command('RECV_BITMAP', Buffer.concat([Buffer.from([name.length]), name]));
  }

  /** A command whose bytes follow it and are parsed as items of their own. */
  packaged(items: Buffer): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(items.length);
    this.command('PACKAGED', payload);
    this.out.bytes(items);
  }

  eof(): void {
    this.out.u8(SectionType.eof);
  }

  vmdescription(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    this.out.u8(SectionType.vmdescription);
    this.out.be32(bytes.length);
    this.out.bytes(bytes);
  }

  #named(type: number, id: number, idstr: string, instance: number, version: number): void {
    this.#section = id;
    this.out.u8(type);
    this.out.be32(id);
    this.out.str8(idstr);
    this.out.be32(instance);
    this.out.be32(version);
  }
}
