/** `qmpspec stream make`: a stream that loads a RAM image into an empty machine. */
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { openSocket, parseAddress } from '../../protocol/address.js';
import { type DialectName, dialects } from '../../reference/dialects/dialect.js';
import { describeDevices, writeDevices } from '../../reference/migration/device-state.js';
import { compressPage } from '../../reference/ram/compress-page.js';
import { pageSize } from '../../reference/ram/guest-ram.js';
import { isZeroPage } from '../../reference/ram/zero-page.js';
import { runStateNames } from '../../reference/stream/device-layout.js';
import { StreamWriter } from '../../reference/stream/stream-writer.js';
import { UsageError } from '../failures.js';
import type { Io } from '../io.js';
import { isAddress, readable } from './byte-input.js';
import { Progress } from './progress.js';

export interface MakeOptions {
  readonly out: string;
  readonly dialect: DialectName;
  readonly machine: string;
  readonly block: string;
  /** RAM of the machine in bytes; the rest behind the image is zero. */
  readonly size?: number;
  readonly compress?: number;
  readonly state: string;
  readonly devices: boolean;
  readonly vmdescription: boolean;
  readonly footers: boolean;
}

const piece = 1024 * 1024;
/** Milliseconds in which a destination must accept the connection. */
const connectDeadline = 10_000;

export async function make(image: string, options: MakeOptions, io: Io): Promise<void> {
  const dialect = dialects[options.dialect];
  if (options.compress !== undefined && !dialect.stream.compressedPages) {
    throw new UsageError(`dialect ${options.dialect} has no compressed pages`);
  }
  if (!runStateNames.includes(options.state)) {
    throw new UsageError(`'${options.state}' is no run state; one of ${runStateNames.join(', ')}`);
  }
  const handle = await open(image, 'r').catch((error: unknown) => {
    throw readable(image, error);
  });
  const out = await openOutput(options.out).catch(async (error: unknown) => {
    await handle.close();
    throw readable(options.out, error);
  });
  let progress: Progress | undefined;
  try {
    const bytes = (await handle.stat()).size;
    const size = options.size ?? Math.max(pageSize, Math.ceil(bytes / pageSize) * pageSize);
    if (size < bytes || size % pageSize !== 0) {
      throw new UsageError(`--size ${size} must be a multiple of ${pageSize} and hold the ${bytes} bytes of ${image}`);
    }
    const writer = new StreamWriter(dialect.stream, { footers: options.footers });
    const id = dialect.stream.sectionIds.ram!;
    const block = { name: options.block };
    writer.header();
    writer.configuration(options.machine);
    writer.start(id, 'ram', 0, 4);
    writer.ram.setup([{ name: block.name, length: size }]);
    writer.ram.eos();
    writer.footer();
    const buffer = Buffer.alloc(piece);
    progress = new Progress('writing', size, io);
    for (let at = 0; at < size; at += piece) {
      const length = Math.min(piece, size - at);
      const { bytesRead } = at < bytes ? await handle.read(buffer, 0, length, at) : { bytesRead: 0 };
      buffer.fill(0, bytesRead);
      writer.part(id);
      for (let offset = 0; offset < length; offset += pageSize)
        writePage(writer, block, at + offset, buffer, offset, options);
      writer.ram.eos();
      writer.footer();
      await send(out, writer);
      progress.add(length);
    }
    writer.end(id);
    writer.ram.eos();
    writer.footer();
    if (options.devices) writeDevices(writer, dialect, options.state, false);
    writer.eof();
    if (options.vmdescription) writer.vmdescription(describeDevices(dialect, options.machine, false));
    await send(out, writer);
    if (options.out !== '-') {
      out.end();
      await finished(out);
    }
  } catch (error) {
    throw readable(options.out, error);
  } finally {
    progress?.clear();
    await handle.close();
    if (options.out !== '-') out.destroy();
  }
}

function writePage(
  writer: StreamWriter,
  block: { readonly name: string },
  offset: number,
  buffer: Buffer,
  at: number,
  options: MakeOptions,
): void {
  if (isZeroPage(buffer, at)) writer.ram.zero(block, offset);
  // The record that names the block is never compressed (stream-format.md §5.3).
  else if (options.compress === undefined || offset === 0) writer.ram.page(block, offset, buffer, at);
  else writer.ram.compressed(block, offset, compressPage(buffer, at, options.compress));
}

/** Opened before anything is read, so that a wrong path is said at once. */
async function openOutput(path: string): Promise<Writable> {
  if (path === '-') return process.stdout;
  if (isAddress(path)) return connected(path);
  const out = (await open(path, 'w')).createWriteStream();
  // Kept in `errored`, which every write looks at.
  out.on('error', () => undefined);
  return out;
}

/** A destination that waits there, as a source finds it by `migrate`. */
async function connected(name: string): Promise<Writable> {
  try {
    const socket = await openSocket(parseAddress(name), connectDeadline);
    socket.on('error', () => undefined);
    return socket;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function send(out: Writable, writer: StreamWriter): Promise<void> {
  if (out.errored !== null) throw out.errored;
  let full = false;
  for (const bytes of writer.out.take()) full = !out.write(bytes) || full;
  if (full) await once(out, 'drain');
}
