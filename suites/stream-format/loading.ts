/** A destination of the target that loads a stream of ours, and the RAM that it then has. */
import { join } from 'node:path';
import type { Trial } from '../../oracle/trial.js';
import type { StreamWriter } from '../../reference/stream/stream-writer.js';
import { type Destination, destination, feedNeeds } from '../state-machine/destination.js';
import { block, type Feed } from '../state-machine/feed.js';
import { storySoFar } from '../state-machine/story.js';
import { checkRamFile } from './ram-file.js';

export const loadNeeds = feedNeeds;
/** A failed load ends the process. */
export const failNeeds = { abilities: [...feedNeeds.abilities, 'exit'] } as const;

/** Section id of `ram` in streams of ours: any number will do. */
export const ramId = 70;
export const pageSize = 4096;

/** A page filled with one letter. */
export const pageOf = (letter: string): Buffer => Buffer.alloc(pageSize, letter);

/** A page of which no two neighbouring bytes are alike. */
export function pattern(seed: number): Buffer {
  const page = Buffer.alloc(pageSize);
  let word = seed | 1;
  for (let at = 0; at < pageSize; at++) {
    word = (Math.imul(word, 1103515245) + 12345) | 0;
    page[at] = (word >>> 16) | 1;
  }
  return page;
}

/** The START section of `ram`. */
export function ramStart(writer: StreamWriter, length: number = block.length): void {
  writer.start(ramId, 'ram', 0, 4);
  writer.ram.setup([{ name: block.name, length }]);
  writer.ram.eos();
  writer.footer();
}

/** A PART section of `ram` with records. */
export function ramPart(writer: StreamWriter, records: (writer: StreamWriter) => void): void {
  writer.part(ramId);
  records(writer);
  writer.ram.eos();
  writer.footer();
}

/** An END section of `ram`, with records if any. */
export function ramEnd(writer: StreamWriter, records?: (writer: StreamWriter) => void): void {
  writer.end(ramId);
  records?.(writer);
  writer.ram.eos();
  writer.footer();
}

export interface LoadOptions {
  readonly capabilities?: readonly string[];
  readonly extra?: readonly string[];
  /** False for what does not begin with the magic number. */
  readonly magic?: boolean;
}

/** A destination that waits for a stream, and our end of its channel. */
export async function loading(t: Trial, options: LoadOptions = {}): Promise<[Destination, Feed]> {
  const { capabilities, extra, magic = true } = options;
  const one = await destination(t, {
    ...(capabilities === undefined ? {} : { capabilities }),
    ...(extra === undefined ? {} : { start: { extra } }),
  });
  const feed = await one.loads({ magic });
  one.turn();
  return [one, feed];
}

/** The stream is accepted; `write` writes all of it, the end mark too. */
export async function accepts(
  t: Trial,
  write: (writer: StreamWriter, feed: Feed) => void,
  options: LoadOptions = {},
): Promise<Destination> {
  const [one, feed] = await loading(t, options);
  write(feed.writer, feed);
  feed.send();
  await one.until('completed');
  await one.statusIs('completed');
  return one;
}

/** Header, RAM announced, records in a PART section, end mark and description; the RAM afterwards. */
export async function loads(
  t: Trial,
  records: (writer: StreamWriter) => void,
  ram: ReadonlyMap<number, Buffer>,
  options: LoadOptions = {},
): Promise<Destination> {
  const one = await accepts(
    t,
    (writer, feed) => {
      feed.begin();
      ramStart(writer);
      ramPart(writer, records);
      ramEnd(writer);
      feed.end();
    },
    options,
  );
  await holds(t, one, ram);
  return one;
}

/** The destination's RAM has these pages (page number → content) and is zero elsewhere, where it can be read. */
export async function holds(t: Trial, one: Destination, ram: ReadonlyMap<number, Buffer>): Promise<void> {
  if (t.facts.commands?.has('pmemsave') === false) return;
  const filename = join(one.instance.scratch, 'ram.bin');
  const args = { val: 0, size: block.length, filename };
  t.equal(t.succeeded(await one.session.command('pmemsave', args), 'pmemsave'), {}, 'pmemsave');
  const { length, fault } = checkRamFile(filename, ram);
  if (fault !== undefined) {
    const { page, expected, got } = fault;
    const byte = expected.findIndex((value, i) => value !== got[i]);
    const [want, have] = [expected[byte]?.toString(16), got[byte]?.toString(16)];
    t.check(false, `0x${want} at byte ${byte} of page ${page}`, `0x${have}`, 'RAM');
  }
  t.check(length === block.length, `${block.length} bytes`, `${length} bytes`, 'RAM');
}

/** What a failed load says, besides ending the process with status 1. */
export interface Failure {
  /** Lines on standard error before the last one, compared in strict mode only. */
  readonly lines?: readonly RegExp[];
  /** Defect that some releases have here. */
  readonly defect?: string;
}

type RefusalOptions = LoadOptions & Failure & { readonly cut?: boolean };

/**
 * The stream fails the load, and the process ends with exit status 1 after it has told so.
 * @returns the story of the destination from its start
 */
export async function refusal(
  t: Trial,
  write: (writer: StreamWriter, feed: Feed) => void,
  options: RefusalOptions = {},
): Promise<readonly string[]> {
  const [one, feed] = await loading(t, options);
  write(feed.writer, feed);
  feed.send();
  if (options.cut === true) feed.finish();
  if (options.defect !== undefined) {
    const exit = await one.exits();
    if (exit.signal !== null) {
      t.knownDefect(options.defect, 'exit status 1', `killed by ${exit.signal}`);
      return [];
    }
  }
  await one.fails();
  for (const line of options.lines ?? []) {
    if (t.strictDesc) t.check(line.test(one.instance.stderr), `${line} on standard error`, one.instance.stderr.trim());
  }
  return storySoFar(t, one.session);
}

/** As {@link refusal}. */
export async function refuses(
  t: Trial,
  write: (writer: StreamWriter, feed: Feed) => void,
  options: RefusalOptions = {},
): Promise<void> {
  await refusal(t, write, options);
}
