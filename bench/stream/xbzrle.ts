/** XBZRLE against the same algorithm in C. */
import { execFileSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pageSize } from '../../reference/ram/guest-ram.js';
import { createRamMemory } from '../../reference/ram/ram-memory.js';
import { ByteOutput } from '../../reference/stream/byte-output.js';
import { RamRecordWriter } from '../../reference/stream/ram-record-writer.js';
import { theReaper } from '../../targets/reaper.js';

/** Enough to keep the predictors of the processor honest, and few enough for its caches. */
const pages = 1024;
const rounds = 60;
/** Decoding is over so soon that V8 takes more rounds to see that its code is worth optimising. */
const decodeRounds = 10 * rounds;
/** C and this process take turns so many times; the fastest round of each counts. */
const turns = 4;
/** Small edits in a page, each of 1 to 8 bytes. */
const editCounts = [1, 10, 50, 200];

interface Times {
  /** Nanoseconds for all pages. */
  readonly encode: number;
  readonly decode: number;
  /** Bytes of all deltas together: both must agree. */
  readonly bytes: number;
}

/** @returns false when a ratio is below 1 */
export function xbzrle(): boolean {
  const folder = theReaper().folder();
  mkdirSync(folder, { recursive: true });
  try {
    const program = compile(folder);
    console.log(`XBZRLE of ${pages} pages, GB/s of pages${program === undefined ? ' (no C compiler `cc` here)' : ''}:`);
    return editCounts.map((edits) => compare(edits, folder, program)).every((good) => good);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The C program, or undefined where there is no compiler. */
function compile(folder: string): string | undefined {
  const source = fileURLToPath(new URL('../../../bench/stream/xbzrle.c', import.meta.url));
  const program = join(folder, 'xbzrle');
  try {
    execFileSync('cc', ['-O2', '-o', program, source], { stdio: ['ignore', 'ignore', 'inherit'] });
    return program;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function compare(edits: number, folder: string, program: string | undefined): boolean {
  const old = randomFillSync(Buffer.alloc(pages * pageSize));
  const fresh = edited(old, edits);
  const file = join(folder, 'pages');
  writeFileSync(file, Buffer.concat([old, fresh]));
  const own: Times[] = [];
  const theirs: Times[] = [];
  for (let turn = 0; turn < turns; turn++) {
    if (program !== undefined)
      theirs.push(timesOf(execFileSync(program, [file, String(rounds), String(decodeRounds)]).toString()));
    own.push(measure(old, fresh));
  }
  const line = [`  ${String(edits).padStart(3)} edits`];
  let good = true;
  for (const direction of ['encode', 'decode'] as const) {
    const mine = Math.min(...own.map((times) => times[direction]));
    line.push(`${direction} ${speed(mine)}`);
    if (theirs.length === 0) continue;
    const c = Math.min(...theirs.map((times) => times[direction]));
    line.push(`C ${speed(c)}  ratio ${(c / mine).toFixed(2)}${c < mine ? ' below 1' : ''}`);
    if (c < mine) good = false;
  }
  if (theirs.some(({ bytes }) => bytes !== own[0]!.bytes)) throw new Error('both sides made different deltas');
  console.log(line.join('   '));
  return good;
}

const speed = (nanoseconds: number): string => ((pages * pageSize) / nanoseconds).toFixed(2).padStart(7);

/** A copy with small changes at random places of each page. */
function edited(old: Buffer, edits: number): Buffer {
  const fresh = Buffer.from(old);
  for (let page = 0; page < pages; page++) {
    for (let n = 0; n < edits; n++) {
      const at = page * pageSize + Math.floor(Math.random() * (pageSize - 8));
      for (let i = Math.floor(Math.random() * 8); i >= 0; i--) fresh[at + i] = (fresh[at + i]! + 1) & 255;
    }
  }
  return fresh;
}

function timesOf(line: string): Times {
  const [encode, decode, bytes] = line.trim().split(' ').map(Number);
  return { encode: encode!, decode: decode!, bytes: bytes! };
}

/**
 * As source and destination do it: cached pages, the guest's RAM, deltas and what was received in one memory. Encoding takes
 * a call for each page; decoding reads the records of the stream, many in a call. The C code does the same.
 */
function measure(old: Buffer, fresh: Buffer): Times {
  const memory = createRamMemory(4 * old.length);
  if (memory === undefined) throw new Error('WebAssembly SIMD is not there: the plain encoder would be measured');
  const copies = memory.copies;
  old.copy(memory.bytes, copies);
  fresh.copy(memory.bytes);
  const lengths = new Int32Array(pages);
  let bytes = 0;
  const encode = fastest(() => {
    bytes = 0;
    for (let page = 0; page < pages; page++) {
      const length = memory.encode(copies + page * pageSize, page * pageSize, pageSize);
      lengths[page] = length;
      if (length > 0) bytes += length;
    }
  }, rounds);
  const out = new ByteOutput();
  const records = new RamRecordWriter(out);
  const block = { name: 'ram' };
  for (let page = 0; page < pages; page++) {
    const length = memory.encode(copies + page * pageSize, page * pageSize, pageSize);
    const delta = memory.bytes.subarray(memory.delta, memory.delta + Math.max(length, 0));
    if (length > 0) records.xbzrle(block, page * pageSize, delta);
    // Only the first record carries the name, and is read in another way.
    if (page === 0) out.take();
  }
  const stream = out.takeJoined();
  const received = memory.bytes.subarray(2 * old.length, 2 * old.length + stream.length);
  stream.copy(received);
  old.copy(memory.bytes);
  memory.bytes.set(fresh.subarray(0, pageSize));
  const range = { base: 0, length: old.length };
  const decode = fastest(() => {
    for (let at = 0; at < received.length; ) {
      const { bytes: taken } = memory.records(received, at, received.length, range);
      if (taken === 0) throw new Error('malformed');
      at += taken;
    }
  }, decodeRounds);
  const same = memory.bytes.compare(fresh, 0, fresh.length, 0, fresh.length) === 0;
  if (lengths.every((length) => length >= 0) && !same) throw new Error('the deltas lead to other pages');
  return { encode, decode, bytes };
}

/** Nanoseconds of the fastest of so many rounds. */
function fastest(run: () => void, rounds: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const began = process.hrtime.bigint();
    run();
    best = Math.min(best, Number(process.hrtime.bigint() - began));
  }
  return best;
}
