import { describeDevices, writeDevices } from '../../../reference/migration/device-state.js';
import { MultifdSender } from '../../../reference/multifd/multifd-sender.js';
import { pageRanges } from '../../../reference/postcopy/discards.js';
import { writePackage } from '../../../reference/postcopy/package.js';
import { DirtyBitmap } from '../../../reference/ram/dirty-bitmap.js';
import { pageSize } from '../../../reference/ram/guest-ram.js';
import { StreamWriter } from '../../../reference/stream/stream-writer.js';
import { UsageError } from '../../failures.js';
import { differingPages, eachPiece, type Image, pieceBytes } from './image.js';
import type { Output } from './outputs.js';
import { PageWriter } from './page-writer.js';
import type { Plan } from './plan.js';

export interface MakerParts {
  readonly plan: Plan;
  readonly main: Output;
  readonly channels: readonly Output[];
  /** What RAM holds in the end. */
  readonly image: Image;
  /** What it holds in the first pass, where that is something else. */
  readonly before: Image | undefined;
  /** Bytes of RAM, whole pages. */
  readonly size: number;
  /** Told of the bytes of RAM that have been looked at. */
  readonly progress: (bytes: number) => void;
}

/** Writes a whole migration of a machine without devices, in the order of a real source (stream-format.md §1, §9.1). */
export class Maker {
  readonly #writer: StreamWriter;
  readonly #sender: MultifdSender | undefined;
  readonly #pages: PageWriter;
  readonly #section: number;
  /** Pages that the destination does not have as they are in the end. */
  readonly #unsent: DirtyBitmap;

  constructor(private readonly parts: MakerParts) {
    const { plan, channels, size } = parts;
    const rules = plan.dialect.stream;
    this.#writer = new StreamWriter(rules, { footers: plan.footers });
    this.#section = rules.sectionIds.ram!;
    if (plan.multifd !== undefined) {
      const { compression, level, pagesPerPacket } = plan.multifd;
      this.#sender = new MultifdSender({
        ...{ rules, compression, level },
        // The pages are read into one buffer again and again.
        sinks: channels.map((channel) => ({ write: (buffers) => channel.writeThrough(buffers) })),
        ...(pagesPerPacket === undefined ? {} : { pagesPerPacket }),
      });
    }
    this.#pages = new PageWriter(plan, this.#writer, this.#sender);
    this.#unsent = new DirtyBitmap(size / pageSize);
    this.#unsent.setAll();
  }

  async write(): Promise<void> {
    const { plan, image, before, size } = this.parts;
    try {
      await this.#setUp();
      const switchAt = Math.ceil((size / pageSize) * (plan.switchAt ?? 1)) * pageSize;
      await this.#pass(before ?? image, undefined, switchAt);
      this.#unsent.clearRange(0, switchAt / pageSize);
      if (before !== undefined) this.#unsent.take(await differingPages(before, image, size));
      if (plan.switchAt === undefined) await this.#finishInPrecopy();
      else await this.#finishInPostcopy();
    } finally {
      this.#sender?.close();
    }
  }

  async #setUp(): Promise<void> {
    const { plan, size } = this.parts;
    const writer = this.#writer;
    await this.#sender?.start();
    writer.header();
    writer.configuration(plan.machine);
    if (plan.returnPath) {
      writer.command('OPEN_RETURN_PATH');
      writer.ping(1);
    }
    if (plan.switchAt !== undefined) writer.postcopyAdvise(pageSize);
    writer.start(this.#section, 'ram', 0, 4);
    writer.ram.setup([{ name: plan.block, length: size }]);
    await this.#endBody();
  }

  /** Sends an image up to `end`: every page, or those that are not sent yet, as changes of `old` where that is given. */
  async #pass(image: Image, old: Image | undefined, end: number, wanted?: DirtyBitmap): Promise<void> {
    const buffer = Buffer.alloc(pieceBytes);
    const oldBuffer = old === undefined ? undefined : Buffer.alloc(pieceBytes);
    await eachPiece(end, async (at, length) => {
      this.parts.progress(length);
      const [first, behind] = [at / pageSize, (at + length) / pageSize];
      const next = wanted?.next(first) ?? first;
      if (next === -1 || next >= behind) return;
      await image.read(buffer.subarray(0, length), at);
      if (oldBuffer !== undefined) await old?.read(oldBuffer.subarray(0, length), at);
      // One object for the whole piece: pages of another would go in another packet.
      const block = { name: this.parts.plan.block, bytes: buffer, start: at };
      const piece = { block, ...(oldBuffer === undefined ? {} : { old: oldBuffer }) };
      this.#writer.part(this.#section);
      for (let page = first; page < behind; page++) {
        if (wanted?.has(page) === false) continue;
        await this.#pages.page(piece, page * pageSize - at);
      }
      await this.#endBody();
    });
  }

  async #finishInPrecopy(): Promise<void> {
    const { plan, image, before, size } = this.parts;
    const writer = this.#writer;
    if (before !== undefined) await this.#pass(image, plan.xbzrle ? before : undefined, size, this.#unsent);
    writer.end(this.#section);
    await this.#endBody();
    if (plan.devices) writeDevices(writer, plan.dialect, plan.state, false);
    writer.eof();
    if (plan.vmdescription) writer.vmdescription(describeDevices(plan.dialect, plan.machine, false));
    await this.#send();
  }

  async #finishInPostcopy(): Promise<void> {
    const { plan, image, size } = this.parts;
    const writer = this.#writer;
    const { stream } = plan.dialect;
    if (this.#unsent.count === 0) {
      throw new UsageError('nothing is left for postcopy: a smaller --switch-at, or --before with pages that differ');
    }
    if (stream.commands.includes('SWITCHOVER_START')) writer.command('SWITCHOVER_START');
    writer.postcopyDiscard(plan.block, pageRanges(this.#unsent));
    const inner = new StreamWriter(stream, { footers: plan.footers });
    writePackage(writer, inner, () => {
      if (plan.devices) writeDevices(inner, plan.dialect, plan.state, false);
    });
    writer.ram.forgetBlock();
    this.#pages.postcopy = true;
    await this.#pass(image, undefined, size, this.#unsent);
    writer.end(this.#section);
    await this.#endBody();
    writer.eof();
    await this.#send();
  }

  /** Ends a section body, where data channels are brought to the same point (multifd.md §4). */
  async #endBody(): Promise<void> {
    const writer = this.#writer;
    if (this.#sender !== undefined) {
      await this.#sender.sync();
      if (this.parts.plan.dialect.stream.flushRecords) writer.ram.flush();
    }
    writer.ram.eos();
    writer.footer();
    await this.#send();
  }

  #send(): Promise<void> {
    return this.parts.main.write(this.#writer.out.take());
  }
}
