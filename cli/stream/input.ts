/** Recorded streams as input of the `stream` commands, never whole in memory. */
import type { DialectName } from '../../reference/dialects/dialect.js';
import { recordingRules, streamRules } from '../../reference/dialects/stream.js';
import type { StreamHandler } from '../../reference/stream/stream-handler.js';
import { StreamReader, type StreamReaderOptions } from '../../reference/stream/stream-reader.js';
import { describedSections, findVmdescription, parseVmdescription } from '../../reference/stream/vmdescription.js';
import { UsageError } from '../failures.js';
import type { Io } from '../io.js';
import { cannotRead, openBytes } from './byte-input.js';
import { type DialectFrom, dialectOf } from './dialect-of.js';
import { Progress } from './progress.js';

/** Where a vmdescription is looked for: far more than any machine has. */
const tailBytes = 8 * 1024 * 1024;

export interface InputOptions {
  readonly dialect?: DialectName;
  /** False after `--no-footers`. */
  readonly footers: boolean;
  /** For a recovery connection: the file of the connection before it. */
  readonly after?: string;
}

/** An opened stream. */
export interface Input {
  readonly name: string;
  readonly chunks: AsyncIterable<Buffer>;
  /** Bytes, where the input is a file. */
  readonly size: number | undefined;
  readonly dialect: DialectName;
  /** How the dialect was found. */
  readonly dialectFrom: DialectFrom;
  /** Bytes that have been read. */
  received: number;
  readonly options: StreamReaderOptions;
  /** The connection that this one recovers. */
  readonly after: Input | undefined;
}

/** @param file as `openBytes` takes it. @throws UsageError if it cannot be read */
export async function openInput(file: string, options: InputOptions, io: Io): Promise<Input> {
  const raw = await openBytes(file, io);
  const { size } = raw;
  const tail = await raw.tail(tailBytes);
  const { first, chunks } = await peek(raw.chunks, file);
  if (first.length === 0) throw new UsageError(`${file} is empty: there is no stream in it`);
  const text = tail === undefined ? undefined : findVmdescription(tail);
  // A recovery connection begins with a command; it has neither magic nor configuration.
  const recovery = first.toString('latin1', 0, 4) !== 'QEVM' && first[0] === 8;
  if (recovery && options.after === undefined) {
    throw new UsageError(`${file} is a recovery connection: give the connection before it with --after FILE`);
  }
  const { after: before, ...shared } = options;
  const after = recovery && before !== undefined ? await openInput(before, shared, io) : undefined;
  const found = dialectOf(first, text, after?.dialect);
  const dialect = options.dialect ?? found.dialect;
  return {
    name: file,
    chunks,
    size,
    dialect,
    dialectFrom: options.dialect === undefined ? found.from : 'option',
    received: 0,
    options: {
      rules: recordingRules(streamRules[dialect]),
      footers: options.footers ? 'found' : false,
      configuration: first[8] === 7,
      recovery,
      ...described(text),
    },
    after,
  };
}

/**
 * Feeds an input to a handler. Never rejects because of what the stream says: that is `reader.error`.
 * @param earlier is told what the connection before a recovery connection brought
 * @param begun is given the reader before it reads
 * @throws UsageError if the input breaks off for another reason
 */
export async function readInput(
  input: Input,
  handler: StreamHandler,
  io: Io,
  earlier: StreamHandler = {},
  begun?: (reader: StreamReader) => void,
): Promise<StreamReader> {
  const state = input.after === undefined ? undefined : (await readInput(input.after, earlier, io)).state;
  const reader = new StreamReader({ ...input.options, ...(state === undefined ? {} : { state }) }, handler);
  begun?.(reader);
  const progress = new Progress('reading', input.size, io);
  try {
    for await (const chunk of input.chunks) {
      input.received += chunk.length;
      if (!reader.push(chunk)) await reader.drained();
      reader.detach();
      progress.add(chunk.length);
    }
    while (reader.paused) await reader.drained();
    reader.end();
    while (reader.paused) await reader.drained();
  } catch (error) {
    if (reader.error !== error) throw cannotRead(input.name, error);
  } finally {
    progress.clear();
  }
  return reader;
}

function described(text: string | undefined): Pick<StreamReaderOptions, 'described'> {
  if (text === undefined) return {};
  try {
    return { described: describedSections(parseVmdescription(text)) };
  } catch {
    // Not a description after all; the reader finds the ends of device sections by itself.
    return {};
  }
}

/** The first bytes of an input, and the input with them still in place. */
async function peek(
  raw: AsyncIterable<Buffer>,
  name: string,
): Promise<{ first: Buffer; chunks: AsyncIterable<Buffer> }> {
  const iterator = raw[Symbol.asyncIterator]();
  const early: Buffer[] = [];
  let length = 0;
  while (length < 9) {
    const next = await iterator.next().catch((error: unknown) => {
      throw cannotRead(name, error);
    });
    if (next.done === true) break;
    early.push(Buffer.from(next.value));
    length += next.value.length;
  }
  async function* chunks(): AsyncGenerator<Buffer> {
    try {
      yield* early;
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { first: Buffer.concat(early), chunks: chunks() };
}
