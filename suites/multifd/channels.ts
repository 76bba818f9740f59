/** Data channels of a captured source, and data channels that we feed a destination. */
import type { Trial } from '../../oracle/trial.js';
import { enumOf } from '../../qapi/enums.js';
import { type PacketInfo, readChannel } from '../../reference/multifd/channel-reader.js';
import type { InitialPacket } from '../../reference/multifd/initial-packet.js';
import { packetLayout } from '../../reference/multifd/packet-layout.js';
import { PacketWriter } from '../../reference/multifd/packet-writer.js';
import type { TargetFacts } from '../../targets/facts.js';
import { fitsExactly } from '../commands/dialect-fit.js';
import { type Destination, destination } from '../state-machine/destination.js';
import { block, Feed } from '../state-machine/feed.js';
import { type CaptureOptions, recorded, type SeenStream, seenCapture } from '../stream-format/capture.js';
import type { Recording } from '../stream-format/recording.js';

export const pageSize = 4096;
export type Method = 'none' | 'zlib' | 'zstd';

/** For `unless`: packets have the layout of their release, and the capability its name. */
export function unlessMultifd(facts: TargetFacts): string | undefined {
  const { capability } = facts.dialect.migration.multifd;
  const known = (facts.settings?.capabilities ?? []).some((one) => JSON.stringify(one).includes(`"${capability}"`));
  if (!known) return `no capability ${capability}`;
  return fitsExactly(facts) ? undefined : `release ${facts.version || 'unknown'} has no table of its own`;
}

/** For `unless`: compression of the channels by this method, which its schema has none of the values for if it was not built with it. */
export const unlessMethod =
  (method: Method) =>
  (facts: TargetFacts): string | undefined => {
    const name = 'multifd-compression';
    const own = unlessMultifd(facts);
    if (own !== undefined) return own;
    if (!(name in (facts.settings?.parameters ?? {}))) return `no parameter ${name}`;
    const values = enumOf(facts.schema, 'migrate-set-parameters', name);
    return values.length === 0 || values.includes(method) ? undefined : `it was built without ${method}`;
  };

export interface MultifdOptions {
  readonly channels?: number;
  readonly method?: Method;
  readonly parameters?: Readonly<Record<string, unknown>>;
}

function parametersOf(t: Trial, options: MultifdOptions): Record<string, unknown> {
  const method = options.method === undefined ? {} : { 'multifd-compression': options.method };
  return { [t.dialect.migration.multifd.channels]: options.channels ?? 2, ...method, ...options.parameters };
}

/** A data channel as it was captured. */
export interface RecordedChannel {
  readonly initial: InitialPacket | undefined;
  readonly packets: readonly PacketInfo[];
  readonly pages: ReadonlyMap<number, Buffer>;
  /** Offsets in the order in which they came, zero pages apart. */
  readonly offsets: readonly number[];
  readonly zeroes: readonly number[];
  readonly syncs: number;
  readonly bytes: Buffer;
  /** Why it cannot be read; undefined when it can. */
  readonly problem: string | undefined;
}

async function readRecorded(t: Trial, bytes: Buffer, options: MultifdOptions): Promise<RecordedChannel> {
  const packets: PacketInfo[] = [];
  const pages = new Map<number, Buffer>();
  const offsets: number[] = [];
  const zeroes: number[] = [];
  let initial: InitialPacket | undefined;
  let syncs = 0;
  let problem: string | undefined;
  const pagesPerPacket = options.parameters?.['x-multifd-page-count'];
  try {
    await readChannel(
      [bytes],
      {
        rules: t.dialect.stream,
        channels: options.channels ?? 2,
        order: 0,
        anyUuid: true,
        block: (name) => (name === block.name ? block : undefined),
        compression: options.method ?? 'none',
        ...(typeof pagesPerPacket === 'number' ? { pagesPerPacket } : {}),
      },
      {
        initial: (packet) => {
          initial = packet;
        },
        packet: (packet) => {
          packets.push(packet);
        },
        pages: (_, offset, from, start, count) => {
          for (let at = 0; at < count * pageSize; at += pageSize) {
            pages.set(offset + at, Buffer.from(from.subarray(start + at, start + at + pageSize)));
            offsets.push(offset + at);
          }
        },
        zeroPage: (_, offset) => {
          zeroes.push(offset);
        },
        sync: () => {
          syncs++;
        },
      },
    );
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  }
  return { initial, packets, pages, offsets, zeroes, syncs, bytes, problem };
}

export interface MultifdCapture {
  readonly one: SeenStream;
  readonly main: Recording;
  readonly channels: readonly RecordedChannel[];
}

/** A multifd migration from begin to end, with all of its connections. */
export async function captureChannels(
  t: Trial,
  options: MultifdOptions = {},
  more: CaptureOptions = {},
): Promise<MultifdCapture> {
  const { channels = 2 } = options;
  const one = await seenCapture(t, {
    ...more,
    capabilities: [t.dialect.migration.multifd.capability, ...(more.capabilities ?? [])],
    parameters: parametersOf(t, options),
  });
  t.same(one.connections.length, channels + 1, 'connections');
  const all = Array.from({ length: channels + 1 }, (_, i) => one.bytes(i + 1));
  // Releases connect in whatever order they like: the magic tells.
  const isMain = (bytes: Buffer) => bytes.toString('latin1', 0, 4) === 'QEVM';
  const main = recorded(t, all.find(isMain) ?? Buffer.alloc(0));
  t.check(main.problem === undefined, 'a main channel that can be read', main.problem ?? '');
  const data = await Promise.all(all.filter((bytes) => !isMain(bytes)).map((bytes) => readRecorded(t, bytes, options)));
  for (const [i, channel] of data.entries()) {
    t.check(
      channel.problem === undefined,
      'a data channel that can be read',
      channel.problem ?? '',
      `channel ${i + 1}`,
    );
  }
  for (const { pages } of data) for (const [offset, page] of pages) main.place(block.name, offset, page);
  return { one, main, channels: data };
}

/** A destination with multifd, our main connection, and our data channels. */
export class Fed {
  readonly ram = new Map<number, Buffer>();
  private numbers = 0;

  private constructor(
    private readonly t: Trial,
    readonly one: Destination,
    readonly main: Feed,
    readonly data: Feed[],
    private readonly writers: readonly PacketWriter[],
  ) {}

  /** `greet` off: no initial packets yet. `late`: the last channel is connected by {@link joins} only. */
  static async open(
    t: Trial,
    options: MultifdOptions & { readonly greet?: boolean; readonly late?: boolean } = {},
  ): Promise<Fed> {
    const { channels = 2, method = 'none', greet = true, late = false } = options;
    const one = await destination(t, { capabilities: [t.dialect.migration.multifd.capability] });
    const reply = await one.session.command('migrate-set-parameters', parametersOf(t, options));
    t.succeeded(reply, 'migrate-set-parameters');
    await one.listens();
    const main = await one.connects('main');
    const rules = t.dialect.stream;
    const data: Feed[] = [];
    const writers: PacketWriter[] = [];
    const pages = options.parameters?.['x-multifd-page-count'];
    for (let channel = 0; channel < channels; channel++) {
      if (!late || channel < channels - 1) data.push(await Feed.open(t, one.path, `channel-${channel}`));
      const more = typeof pages === 'number' ? { pagesPerPacket: pages } : {};
      const writer = new PacketWriter({ rules, channel, compression: method, ...more });
      t.atEnd(async () => writer.close());
      writers.push(writer);
    }
    // Some releases take the first connection with a header as the main one, and look for that first.
    main.begin().send();
    const fed = new Fed(t, one, main, data, writers);
    if (greet) fed.greets();
    return fed;
  }

  /** The last data channel connects and greets. */
  async joins(): Promise<void> {
    const channel = this.data.length;
    this.data.push(await Feed.open(this.t, this.one.path, `channel-${channel}`));
    this.data[channel]?.raw(this.writer(channel).initial());
  }

  /** The initial packets of all data channels that are connected. */
  greets(): void {
    for (const [i, writer] of this.writers.entries()) this.data[i]?.raw(writer.initial());
  }

  /** Pages that a packet has room for. */
  get most(): number {
    return packetLayout(this.t.dialect.stream).defaultPages;
  }

  writer(channel: number): PacketWriter {
    return this.writers[channel] as PacketWriter;
  }

  /** One packet with these pages (page number → content), all of the one RAM block. */
  async pages(channel: number, pages: ReadonlyMap<number, Buffer>, more: { flags?: number; zero?: number[] } = {}) {
    const size = (Math.max(0, ...pages.keys()) + 1) * pageSize;
    const bytes = Buffer.alloc(size);
    for (const [page, content] of pages) {
      content.copy(bytes, page * pageSize);
      this.ram.set(page, content);
    }
    const offsets = [...pages.keys()].map((page) => page * pageSize);
    const zeroOffsets = (more.zero ?? []).map((page) => page * pageSize);
    const packet = { block: { name: block.name, bytes }, offsets, ...(zeroOffsets.length > 0 ? { zeroOffsets } : {}) };
    const buffers = await this.writer(channel).pages(packet, this.numbers++, more.flags ?? 0);
    this.data[channel]?.raw(Buffer.concat(buffers));
  }

  /** A SYNC packet on every channel, or on these. */
  syncs(...channels: readonly number[]): void {
    const all = channels.length > 0 ? channels : this.writers.map((_, i) => i);
    for (const channel of all) this.data[channel]?.raw(this.writer(channel).sync(this.numbers++));
  }

  /** The record of the main channel that belongs to a synchronisation. */
  mark(): void {
    const { ram } = this.main.writer;
    if (this.t.dialect.stream.flushRecords) ram.flush();
    ram.eos();
  }

  /** START, one PART with the synchronisation in it, END, and the end: the least main channel. */
  async finish(pages: () => Promise<void> = async () => undefined): Promise<void> {
    const { writer } = this.main;
    writer.start(70, 'ram', 0, 4);
    writer.ram.setup([block]);
    this.mark();
    writer.footer();
    this.syncs();
    await pages();
    this.syncs();
    writer.part(70);
    this.mark();
    writer.footer();
    writer.end(70);
    this.mark();
    writer.footer();
    this.syncs();
    this.main.end().send();
    for (const feed of this.data) feed.finish();
  }
}
