/** The recordings of test/vectors, and a decoder that puts one into RAM. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type StreamRules, streamRules } from '../../../reference/dialects/stream.js';
import { createGuestRam, type GuestRam } from '../../../reference/ram/guest-ram.js';
import { RamLoader } from '../../../reference/stream/ram-loader.js';
import type { StreamHandler } from '../../../reference/stream/stream-handler.js';
import { StreamReader, type StreamReaderOptions } from '../../../reference/stream/stream-reader.js';
import { describedSections, findVmdescription, parseVmdescription } from '../../../reference/stream/vmdescription.js';

export interface Recording {
  readonly type: 'main' | 'channel' | 'rp' | 'xbzrle';
  readonly file: string;
  readonly qemu: string;
  readonly sha256: string;
  readonly dialect?: '3.0' | '7.2' | '10.0';
  readonly caps?: Readonly<Record<string, boolean>>;
  readonly counts?: Readonly<Record<string, number>>;
  readonly ram?: Readonly<Record<string, string>>;
  readonly channels?: readonly string[];
  readonly mf_comp?: 'none' | 'zlib' | 'zstd';
  readonly mf_pages?: number;
  readonly messages?: readonly string[];
  readonly cut?: boolean;
  readonly resume_of?: string;
  readonly configuration?: boolean;
  readonly footers?: boolean;
}

// Compiled tests run from dist/test, where the recordings are not: look upwards for them.
const folder = ['../../vectors/', '../../../../test/vectors/']
  .map((path) => new URL(path, import.meta.url))
  .find((url) => {
    try {
      readFileSync(new URL('index.json', url));
      return true;
    } catch {
      return false;
    }
  })!;

/** Bytes of a recording; large ones lie packed beside the others. */
export function vector(file: string): Buffer {
  const packed = new URL(`${file}.gz`, folder);
  return existsSync(packed) ? gunzipSync(readFileSync(packed)) : readFileSync(new URL(file, folder));
}

export const recordings: readonly Recording[] = (JSON.parse(vector('index.json').toString()) as { files: Recording[] })
  .files;

export function recording(file: string): Recording {
  return recordings.find((entry) => entry.file === file)!;
}

export function rulesOf({ dialect }: Recording): StreamRules {
  return streamRules[dialect!];
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Options with which a recording is read. */
export function optionsOf(entry: Recording, bytes: Buffer): StreamReaderOptions {
  const text = findVmdescription(bytes);
  return {
    rules: rulesOf(entry),
    configuration: entry.configuration !== false,
    footers: entry.footers !== false,
    vmdescription: text !== undefined,
    recovery: entry.resume_of !== undefined,
    ...(text === undefined ? {} : { described: describedSections(parseVmdescription(text)) }),
  };
}

/** A handler that loads pages into RAM made after the setup records, and counts. */
export class Loading implements StreamHandler {
  readonly #setup: { name: string; size: number }[] = [];
  #loader: RamLoader | undefined;
  eosCount = 0;
  readonly messages: string[] = [];
  readonly commands: string[] = [];

  get loader(): RamLoader {
    this.#loader ??= new RamLoader(createGuestRam(this.#setup));
    return this.#loader;
  }

  get ram(): GuestRam {
    return this.loader.ram;
  }

  ramSetupBlock: NonNullable<StreamHandler['ramSetupBlock']> = ({ block }) => {
    this.#setup.push({ name: block.name, size: block.length });
  };

  ramPage: NonNullable<StreamHandler['ramPage']> = (...page) => this.loader.ramPage(...page);

  ramEos = (): void => {
    this.eosCount++;
  };

  command: NonNullable<StreamHandler['command']> = (command) => {
    this.commands.push(command.name);
    if (command.name === 'POSTCOPY_LISTEN') this.loader.listen();
    if (command.name === 'POSTCOPY_RAM_DISCARD') this.loader.discard(command.block!, command.ranges!);
  };

  message = (line: string): void => {
    this.messages.push(line);
  };

  /** Counters in the notation of index.json, those that are 0 left out. */
  counts(): Record<string, number> {
    const all = { eos: this.eosCount, ...this.loader.counts };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== 0));
  }

  hashes(): Record<string, string> {
    return Object.fromEntries(this.ram.blocks.map(({ name, bytes }) => [name, sha256(bytes)]));
  }
}

/** Splits bytes into pieces whose lengths `next` chooses. */
export function* fragments(bytes: Buffer, next: () => number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const length = Math.max(1, next());
    // A copy in a buffer of its own, so that the reader cannot see its neighbours.
    yield Buffer.from(bytes.subarray(at, at + length));
    at += length;
  }
}

/** A small repeatable random number generator: numbers in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Reads a whole stream; throws what the reader throws. */
export function readAll(chunks: Iterable<Buffer>, options: StreamReaderOptions, handler: StreamHandler): StreamReader {
  const reader = new StreamReader(options, handler);
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return reader;
}
