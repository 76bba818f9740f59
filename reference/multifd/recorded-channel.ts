import type { StreamRules } from '../dialects/stream.js';
import { ByteSource } from '../stream/byte-source.js';
import type { ByteChunks, ChannelOptions } from './channel-reader.js';
import { type MultifdCompression, methodFlags, multifdMagic, packetBytes, packetLayout } from './packet-layout.js';

/** Packets without pages that are looked at before the layout is taken as found. */
const mostPackets = 64;

/** What the first packets of a recorded channel tell; what they leave open is absent. */
export interface RecordedChannel {
  readonly layout: StreamRules['multifd'] | undefined;
  readonly compression: MultifdCompression | undefined;
  readonly pagesPerPacket: number | undefined;
  /** The channel's bytes, from its first one. */
  readonly chunks: AsyncIterable<Buffer>;
}

/** Looks at the first packets of a recorded data channel: layout and compression lie in them (multifd.md §1, §2). */
export async function recordedChannel(input: ByteChunks): Promise<RecordedChannel> {
  const iterator = Symbol.asyncIterator in input ? input[Symbol.asyncIterator]() : input[Symbol.iterator]();
  const source = new ByteSource();
  const early: Buffer[] = [];
  const need = async (bytes: number): Promise<boolean> => {
    while (!source.has(bytes)) {
      const next = await iterator.next();
      if (next.done === true) return false;
      // Whoever yields chunks may reuse their memory for the next one.
      const chunk = Buffer.from(next.value);
      early.push(chunk);
      source.push(chunk);
    }
    return true;
  };
  const found = await look(source, need);
  async function* chunks(): AsyncGenerator<Buffer> {
    try {
      yield* early;
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { ...found, chunks: chunks() };
}

/** Options with which a channel is read for which `main` was made, and what was found in one or more channels. */
export function withRecorded<Options extends Pick<ChannelOptions, 'rules' | 'compression' | 'pagesPerPacket'>>(
  main: Options,
  channels: readonly RecordedChannel[],
): Options {
  const layout = channels.find((channel) => channel.layout !== undefined)?.layout;
  const pagesPerPacket = main.pagesPerPacket ?? channels.find((channel) => channel.pagesPerPacket)?.pagesPerPacket;
  const compression = main.compression ?? channels.find((channel) => channel.compression)?.compression ?? 'none';
  return {
    ...main,
    ...(layout === undefined ? {} : { rules: { ...main.rules, multifd: layout } }),
    ...(pagesPerPacket === undefined ? {} : { pagesPerPacket }),
    compression,
  };
}

async function look(
  source: ByteSource,
  need: (bytes: number) => Promise<boolean>,
): Promise<Omit<RecordedChannel, 'chunks'>> {
  const layout = await layoutOf(source, need);
  if (layout === undefined) return { layout, compression: undefined, pagesPerPacket: undefined };
  const lies = packetLayout({ multifd: layout });
  source.pos += lies.initialBytes;
  let pagesPerPacket: number | undefined;
  for (let packet = 0; packet < mostPackets && (await need(lies.offsets)); packet++) {
    const at = source.pos;
    if (source.buffer.readUInt32BE(at) !== multifdMagic) break;
    // In the one layout in which it can be chosen every packet announces it.
    if (lies.adjustable) pagesPerPacket = source.buffer.readUInt32BE(at + 12);
    const flags = source.buffer.readUInt32BE(at + 8) & lies.methodMask;
    if (source.buffer.readUInt32BE(at + 16) > 0) return { layout, compression: methodOf(flags), pagesPerPacket };
    const bytes = packetBytes(lies, pagesPerPacket ?? lies.defaultPages);
    if (bytes > 1024 * 1024 || !(await need(bytes))) break;
    source.pos += bytes;
  }
  return { layout, compression: undefined, pagesPerPacket };
}

/** Where the second magic lies; a channel without packets is as long as its initial one. */
async function layoutOf(
  source: ByteSource,
  need: (bytes: number) => Promise<boolean>,
): Promise<StreamRules['multifd'] | undefined> {
  const [short, long] = [packetLayout({ multifd: '3.0' }).initialBytes, packetLayout({ multifd: '10.0' }).initialBytes];
  const magicAt = (offset: number): boolean => source.buffer.readUInt32BE(source.pos + offset) === multifdMagic;
  if (!(await need(short)) || !magicAt(0)) return undefined;
  if (!(await need(short + 4))) return '3.0';
  if (magicAt(short)) return '3.0';
  // The later layouts differ in fields that are 0 in the earlier one.
  if (!(await need(long))) return undefined;
  return !(await need(long + 4)) || magicAt(long) ? '10.0' : undefined;
}

function methodOf(flags: number): MultifdCompression | undefined {
  const methods = ['none', 'zlib', 'zstd'] as const;
  return methods.find((method) => methodFlags[method] === flags);
}
