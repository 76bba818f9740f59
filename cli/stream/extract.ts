/** `qmpspec stream extract`: the guest's RAM out of a recorded stream. */
import { StorageError } from '../../campaign/folder.js';
import { exitCodes } from '../../oracle/exit-codes.js';
import { MultifdReceiver } from '../../reference/multifd/multifd-receiver.js';
import { type RecordedChannel, recordedChannel, withRecorded } from '../../reference/multifd/recorded-channel.js';
import { pageSize } from '../../reference/ram/guest-ram.js';
import { StreamError } from '../../reference/stream/stream-error.js';
import type { StreamHandler } from '../../reference/stream/stream-handler.js';
import { StreamReader } from '../../reference/stream/stream-reader.js';
import { UsageError } from '../failures.js';
import type { Io } from '../io.js';
import { cannotRead, openBytes } from './byte-input.js';
import { type Input, openInput, readInput } from './input.js';
import { channelOptions, type StreamOptions } from './options.js';
import { RamImage } from './ram-image.js';

export interface ExtractOptions extends StreamOptions {
  readonly out: string;
  readonly block?: string;
}

export async function extract(file: string, options: ExtractOptions, io: Io): Promise<void> {
  const input = await openInput(file, options, io);
  const image = new RamImage(options.out, options.block);
  let error: unknown;
  try {
    error =
      (options.channel ?? []).length > 0
        ? await withChannels(input, image, options, io)
        : await alone(input, image, io);
  } finally {
    image.close();
  }
  for (const { name, length, base, written } of image.blocks.values()) {
    io.err.write(`${name}: ${length} bytes at ${base}, ${written.count} pages with data\n`);
  }
  if (options.block !== undefined && !image.blocks.has(options.block)) {
    throw new UsageError(`the stream has no RAM block '${options.block}'`);
  }
  if (error === undefined) return;
  const text = error instanceof Error ? error.message : String(error);
  io.err.write(`qmpspec: ${file} is broken, the image holds what came before: ${text}\n`);
  io.exitCode = exitCodes.divergences;
}

function pagesTo(image: RamImage): StreamHandler {
  return {
    ramSetupBlock: ({ block, length }) => image.add(block.name, length),
    ramPage: (...page) => image.record(...page),
    command: ({ name, block, ranges }) => {
      if (name === 'POSTCOPY_RAM_DISCARD') image.discard(block!, ranges!);
    },
  };
}

async function alone(input: Input, image: RamImage, io: Io): Promise<unknown> {
  const pages = pagesTo(image);
  const { error } = await readInput(input, pages, io, pages);
  if (error !== undefined && !(error instanceof StreamError)) throw error;
  return error;
}

/** Main channel up to a sync record, data channels up to their SYNC packets, and so on (multifd.md §4). */
async function withChannels(input: Input, image: RamImage, options: ExtractOptions, io: Io): Promise<unknown> {
  const files = options.channel ?? [];
  const { rules } = input.options;
  const inputs: RecordedChannel[] = [];
  for (const path of files) inputs.push(await recordedChannel((await openBytes(path, io)).chunks));
  const receiver = new MultifdReceiver({
    ...withRecorded(channelOptions(options, rules), inputs),
    channels: files.length,
    block: (name) => image.blocks.get(name),
    sink: {
      pages: ({ name }, offset, bytes, start, count) => {
        for (let at = 0; at < count * pageSize; at += pageSize) image.page(name, offset + at, bytes, start + at);
      },
      zeroPage: ({ name }, offset) => image.zeroPage(name, offset),
    },
  });
  // Sources that write FLUSH records write one before the first EOS, and only those are sync records then.
  let flushes: boolean | undefined;
  let synced: Promise<void> = Promise.resolve();
  const wait = (): void => {
    reader.pause();
    synced = receiver.sync().then(() => reader.resume());
    // Awaited below, where the next chunk would go in.
    synced.catch(() => undefined);
  };
  const reader: StreamReader = new StreamReader(input.options, {
    ...pagesTo(image),
    ramFlush: () => {
      flushes = true;
      wait();
    },
    ramEos: () => {
      flushes ??= false;
      if (!flushes) wait();
    },
  });
  try {
    // Main channel first: its setup records say which blocks there are before packets name them.
    const chunks = input.chunks[Symbol.asyncIterator]();
    let next = await chunks.next();
    for (const { chunks } of inputs) receiver.add(chunks);
    await receiver.ready();
    for (; next.done !== true; next = await chunks.next()) {
      reader.push(next.value);
      while (reader.paused) await synced;
      reader.detach();
    }
    reader.end();
    while (reader.paused) await synced;
    await receiver.finish();
    return undefined;
  } catch (error) {
    receiver.abort(error);
    if (error instanceof UsageError || error instanceof StorageError) throw error;
    for (const file of files) {
      const known = cannotRead(file, error);
      if (known !== error) throw known;
    }
    return error;
  }
}
