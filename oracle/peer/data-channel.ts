/**
 * A data channel of multifd at a peer (multifd.md): read along, so far as that says whether it is as it should be. What was
 * packed, or divided in another way than usual, is left alone.
 */
import type { StreamRules } from '../../reference/dialects/stream.js';
import { type ChannelBlock, ChannelReader, type PacketInfo } from '../../reference/multifd/channel-reader.js';
import { methodFlags, PacketFlag, type PacketLayout, packetLayout } from '../../reference/multifd/packet-layout.js';
import { pageSize } from '../../reference/ram/guest-ram.js';
import { behindName, greetingReserve, leftInEmpty, numbersWrong, packetReserve } from '../packets.js';

/** First byte of a data channel's magic. */
export const channelByte = 0x11;

/** Ids are a byte. */
const mostChannels = 256;

export interface DataChannelSettings {
  readonly rules: StreamRules;
  /** Blocks that the main channel has named so far. */
  readonly blocks: () => ReadonlyMap<string, ChannelBlock>;
  /** Pages as they are in the sender's memory. */
  readonly pages: (block: ChannelBlock, offset: number, bytes: Buffer, start: number) => void;
  /** UUID of the sender's machine, where that is known. */
  readonly uuid: () => Buffer | undefined;
  /** A page that is only named: it is zero. */
  readonly zeroPage: (block: ChannelBlock, offset: number) => void;
  readonly complain: (requirement: string, text: string) => void;
}

export class DataChannel {
  /** What it called itself, once that was read. */
  id: number | undefined;
  /** Its other end has closed it. */
  closed = false;
  /** Packets with the SYNC flag. */
  syncs = 0;
  /** Numbers of the packets, as they came. */
  readonly numbers: number[] = [];
  /** What its greeting has in reserve, where that is not zero. */
  unclean: Buffer | undefined;
  private left = false;
  /** Header of the last packet. */
  private before: Buffer | undefined;
  /** What came before the main channel had named its blocks. */
  private waiting: Buffer[] = [];
  private reader: ChannelReader | undefined;

  constructor(private readonly settings: DataChannelSettings) {}

  /** Everything that came over it was read. */
  get whole(): boolean {
    return this.closed && !this.left && this.waiting.length === 0;
  }

  push(chunk: Buffer): void {
    if (this.left) return;
    // Memory of a socket is ours to keep.
    this.waiting.push(chunk);
    this.read();
  }

  /** Reads what can be read by now. */
  read(): void {
    if (this.left || this.settings.blocks().size === 0) return;
    if (this.reader === undefined && !this.begin()) return;
    try {
      for (const chunk of this.waiting.splice(0)) {
        const busy = this.reader?.push(chunk);
        // Only what is packed takes time.
        if (busy === undefined) continue;
        busy.catch(() => undefined);
        this.giveUp();
        return;
      }
    } catch (error) {
      const { message } = error as Error;
      this.giveUp();
      // A first packet without pages does not tell that the later ones are packed.
      if (!/flags/.test(message)) this.settings.complain('multifd §5', message);
    }
  }

  /** What a packet has beyond its fields is zero. */
  private look(info: PacketInfo, header: Buffer, layout: PacketLayout): void {
    const reserve = packetReserve(header, layout);
    if (reserve !== undefined)
      this.settings.complain('multifd §2', `a packet has ${reserve.toString('hex')} in reserve`);
    const rest = behindName(info, header, layout);
    if (rest !== undefined)
      this.settings.complain('multifd §2', `a packet has ${rest.toString('hex')} behind its name`);
    const left = leftInEmpty(info, header, layout, this.before);
    if (left !== undefined) this.settings.complain('multifd §2', `a packet without pages has ${left}`);
    this.before = Buffer.from(header);
  }

  /** No more is to be said of it. */
  giveUp(): void {
    this.left = true;
    this.waiting = [];
    this.reader?.close();
    this.reader = undefined;
  }

  /** False while too little has come to tell how it is divided, or when it is none that is read here. */
  private begin(): boolean {
    const layout = packetLayout(this.settings.rules);
    const head = Buffer.concat(this.waiting);
    if (head.length < layout.initialBytes + layout.offsets) return false;
    const packet = head.subarray(layout.initialBytes);
    const packed = (packet.readUInt32BE(8) & layout.methodMask) !== methodFlags.none;
    const divided = layout.adjustable && packet.readUInt32BE(12) !== layout.defaultPages;
    if (packed || divided) {
      this.giveUp();
      return false;
    }
    this.unclean = greetingReserve(head, layout);
    const { rules, pages, zeroPage } = this.settings;
    this.reader = new ChannelReader(
      {
        rules,
        channels: mostChannels,
        order: 0,
        anyUuid: true,
        block: (name) => this.settings.blocks().get(name),
      },
      {
        initial: ({ id, uuid }) => {
          this.id = id;
          const due = this.settings.uuid();
          if (due !== undefined && !uuid.equals(due))
            this.settings.complain(
              'multifd §1',
              `UUID ${uuid.toString('hex')} of a machine that has ${due.toString('hex')}`,
            );
        },
        packet: (info, header) => {
          const { flags } = info;
          const other = flags & ~(PacketFlag.sync | layout.methodMask);
          if (other !== 0) this.settings.complain('multifd §3', `a packet has flags 0x${(flags >>> 0).toString(16)}`);
          this.numbers.push(info.packetNum);
          this.look(info, header, layout);
        },
        pages: (block, offset, bytes, start, count) => {
          for (let page = 0; page < count; page++)
            pages(block, offset + page * pageSize, bytes, start + page * pageSize);
        },
        zeroPage,
        sync: () => {
          this.syncs++;
        },
      },
    );
    return true;
  }
}

/**
 * What is wrong with the channels of one migration, once everything has come over them.
 * @param syncs packets with SYNC that are due on each
 */
export function wrongTogether(
  channels: readonly DataChannel[],
  syncs: number,
  rules: StreamRules,
): { readonly requirement: string; readonly text: string }[] {
  const wrong: { requirement: string; text: string }[] = [];
  const other = channels.find((channel) => channel.syncs !== syncs);
  if (other !== undefined)
    wrong.push({ requirement: 'multifd §4', text: `${other.syncs} packets with SYNC on a data channel, not ${syncs}` });
  const numbers = numbersWrong(
    channels.map((channel) => channel.numbers),
    packetLayout(rules),
  );
  if (numbers !== undefined) wrong.push({ requirement: 'multifd §2', text: numbers });
  // Last, for a release may be known for it, and only the first of these is told.
  const unclean = channels.find((channel) => channel.unclean !== undefined)?.unclean;
  if (unclean !== undefined)
    wrong.push({ requirement: 'multifd §1', text: `a greeting has ${unclean.toString('hex')} in reserve` });
  return wrong;
}
