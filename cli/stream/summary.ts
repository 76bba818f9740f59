/** What a stream holds, gathered while it passes: memory does not grow with the stream. */
import { deviceValues, type NamedValue } from '../../reference/stream/device-values.js';
import { type PageKind, RamFlag, SectionType } from '../../reference/stream/format.js';
import type {
  BitmapChunk,
  BlockChunk,
  SectionInfo,
  SetupEntry,
  StreamBlock,
  StreamCommand,
  StreamHandler,
} from '../../reference/stream/stream-handler.js';
import type { Subsection } from '../../reference/stream/stream-writer.js';
import type { DescribedSection } from '../../reference/stream/vmdescription.js';

/** Most commands that are listed one by one. */
const listedCommands = 200;

export interface BlockSummary {
  readonly name: string;
  length: number;
  zero: number;
  page: number;
  xbzrle: number;
  compressed: number;
  discarded: number;
}

export interface SectionSummary {
  readonly idstr: string;
  readonly instance: number;
  readonly id: number;
  readonly version: number;
  /** Sections of each type. */
  start: number;
  part: number;
  end: number;
  full: number;
  bytes: number;
}

/** Gathers a summary; `JSON.stringify` of {@link toJSON} is the machine-readable dump. */
export class StreamSummary implements StreamHandler {
  machine: string | undefined;
  readonly subsections: { name: string; version: number; bytes: number }[] = [];
  readonly blocks = new Map<string, BlockSummary>();
  readonly sections = new Map<string, SectionSummary>();
  readonly commands: (StreamCommand & { readonly at: string })[] = [];
  readonly commandCounts: Record<string, number> = {};
  readonly devices: { name: string; instance: number; version: number; bytes: number; fields?: NamedValue[] }[] = [];
  readonly drives: Record<string, { data: number; zero: number }> = {};
  readonly bitmaps: Record<string, { granularity: number; chunks: number }> = {};
  readonly messages: string[] = [];
  eosRecords = 0;
  flushRecords = 0;
  descriptionBytes: number | undefined;
  ended = false;

  #lastBlock: StreamBlock | undefined;
  #last: BlockSummary | undefined;

  /** @param described what explains the devices' bodies */
  constructor(private readonly described: readonly DescribedSection[] = []) {}

  configuration(machine: string): void {
    this.machine = machine;
  }

  configurationSubsection({ name, version, body }: Subsection): void {
    this.subsections.push({ name, version, bytes: body.length });
  }

  sectionEnd(section: SectionInfo, end: number): void {
    const key = `${section.idstr}/${section.instance}`;
    let summary = this.sections.get(key);
    if (summary === undefined) {
      const { idstr, instance, id, version } = section;
      summary = { idstr, instance, id, version, start: 0, part: 0, end: 0, full: 0, bytes: 0 };
      this.sections.set(key, summary);
    }
    summary[typeNames[section.type]]++;
    summary.bytes += end - section.offset;
  }

  ramSetupBlock({ block, length }: SetupEntry): void {
    this.#block(block).length = length;
  }

  ramPage(block: StreamBlock, _offset: number, kind: PageKind): void {
    // Page after page of one block: nothing is looked up for each.
    if (block !== this.#lastBlock) {
      this.#lastBlock = block;
      this.#last = this.#block(block);
    }
    const last = this.#last!;
    if (kind === RamFlag.page) last.page++;
    else if (kind === RamFlag.zero) last.zero++;
    else if (kind === RamFlag.xbzrle) last.xbzrle++;
    else last.compressed++;
  }

  ramEos(): void {
    this.eosRecords++;
  }

  ramFlush(): void {
    this.flushRecords++;
  }

  device({ idstr: name, instance, version }: SectionInfo, body: Buffer): void {
    const found = this.described.find((section) => section.name === name && section.instance === instance);
    const fields = found?.size === body.length ? { fields: deviceValues(found.device, body) } : {};
    this.devices.push({ name, instance, version, bytes: body.length, ...fields });
  }

  blockChunk(chunk: BlockChunk): void {
    if (chunk.kind !== 'data' && chunk.kind !== 'zero') return;
    this.drives[chunk.drive] ??= { data: 0, zero: 0 };
    this.drives[chunk.drive]![chunk.kind]++;
  }

  bitmapChunk(chunk: BitmapChunk): void {
    if (chunk.bitmap === '') return;
    const name = `${chunk.node}/${chunk.bitmap}`;
    this.bitmaps[name] ??= { granularity: chunk.granularity ?? 0, chunks: 0 };
    if (chunk.firstSector !== undefined) this.bitmaps[name].chunks++;
  }

  command(command: StreamCommand): void {
    this.commandCounts[command.name] = (this.commandCounts[command.name] ?? 0) + 1;
    if (this.commands.length < listedCommands) {
      this.commands.push({ ...command, at: `0x${command.offset.toString(16)}` });
    }
    const block = command.name === 'POSTCOPY_RAM_DISCARD' ? this.blocks.get(command.block!) : undefined;
    for (const { length } of command.ranges ?? []) if (block !== undefined) block.discarded += length / 4096;
  }

  vmdescription(_text: string, length: number): void {
    this.descriptionBytes = length;
  }

  complete(): void {
    this.ended = true;
  }

  message(line: string): void {
    this.messages.push(line);
  }

  toJSON(): Record<string, unknown> {
    return {
      machine: this.machine ?? null,
      subsections: this.subsections,
      blocks: [...this.blocks.values()],
      sections: [...this.sections.values()],
      devices: this.devices,
      drives: this.drives,
      bitmaps: this.bitmaps,
      commandCounts: this.commandCounts,
      commands: this.commands.map(({ name, number, offset, depth, value, block, ranges }) => ({
        name,
        number,
        offset,
        inPackage: depth > 0,
        ...(value === undefined ? {} : { value }),
        ...(block === undefined ? {} : { block }),
        ...(ranges === undefined ? {} : { ranges: ranges.length }),
      })),
      eosRecords: this.eosRecords,
      flushRecords: this.flushRecords,
      vmdescriptionBytes: this.descriptionBytes ?? null,
      messages: this.messages,
      complete: this.ended,
    };
  }

  #block({ name, length }: StreamBlock): BlockSummary {
    let block = this.blocks.get(name);
    if (block === undefined) {
      block = { name, length, zero: 0, page: 0, xbzrle: 0, compressed: 0, discarded: 0 };
      this.blocks.set(name, block);
    }
    return block;
  }
}

const typeNames = {
  [SectionType.start]: 'start',
  [SectionType.part]: 'part',
  [SectionType.end]: 'end',
  [SectionType.full]: 'full',
} as const;
