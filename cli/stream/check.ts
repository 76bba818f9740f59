/** `qmpspec stream check`: does a recorded stream keep to the format? */
import { exitCodes } from '../../oracle/exit-codes.js';
import type { StreamRules } from '../../reference/dialects/stream.js';
import { pageSize } from '../../reference/ram/guest-ram.js';
import { decodeXbzrle, xbzrleMalformed } from '../../reference/ram/xbzrle-decode.js';
import { isZeroPage } from '../../reference/ram/zero-page.js';
import { discardRangesPerCommand, type PageKind, RamFlag, SectionType } from '../../reference/stream/format.js';
import { StreamError } from '../../reference/stream/stream-error.js';
import type { SectionInfo, StreamBlock, StreamCommand, StreamHandler } from '../../reference/stream/stream-handler.js';
import type { Io } from '../io.js';
import { checkChannels, checkReturnPath } from './channel-check.js';
import { openInput, readInput } from './input.js';
import type { StreamOptions } from './options.js';

/** Most violations that are shown. */
const shownViolations = 100;

export interface Violation {
  readonly offset: number;
  /** Section of stream-format.md, xbzrle.md or multifd.md. */
  readonly requirement: string;
  readonly text: string;
}

/** Checks beyond what a destination refuses: what a real source always does. */
export class ConformanceChecks implements StreamHandler {
  readonly violations: Violation[] = [];
  count = 0;
  /** What is worth saying, but is no violation. */
  readonly notes: string[] = [];
  /** Where the reader stands; set before reading begins. */
  offset: () => number = () => 0;
  /** EOS and FLUSH records: one of them is what data channels synchronise at. */
  eos = 0;
  flushes = 0;
  readonly #begun = new Set<string>();
  readonly #ended = new Set<string>();
  readonly #scratch = Buffer.alloc(pageSize);
  #descriptionSeen = false;
  #postcopy = false;

  constructor(private readonly rules: StreamRules) {}

  report(requirement: string, text: string, offset = this.offset()): void {
    this.count++;
    if (this.violations.length < shownViolations) this.violations.push({ offset, requirement, text });
  }

  sectionBegin({ type, idstr, instance, offset }: SectionInfo): void {
    const key = `${idstr}/${instance}`;
    if (type === SectionType.start || type === SectionType.full) this.#begun.add(key);
    else if (!this.#begun.has(key)) this.report('stream-format §1', `${idstr}: PART or END before START`, offset);
    if (this.#ended.has(key)) this.report('stream-format §1', `${idstr}: a section behind its END`, offset);
    if (type === SectionType.end) this.#ended.add(key);
  }

  ramPage(_block: StreamBlock, offset: number, kind: PageKind, bytes: Buffer, start: number, length: number): void {
    if (kind === RamFlag.page) {
      if (!this.rules.zeroDetectionOptional && isZeroPage(bytes, start))
        this.report('stream-format §5.2', `PAGE record of an all-zero page at 0x${offset.toString(16)}`);
    } else if (kind === RamFlag.zero) {
      if (bytes[start] !== 0) this.report('stream-format §5', `ZERO record with fill byte ${bytes[start]}`);
    } else if (kind === RamFlag.xbzrle) {
      if (length === 0) this.report('xbzrle §1', `empty delta for the page at 0x${offset.toString(16)}`);
      if (decodeXbzrle(bytes, start, length, this.#scratch) === xbzrleMalformed) {
        this.report('xbzrle §2', `malformed delta for the page at 0x${offset.toString(16)}`);
      }
    }
  }

  ramEos(): void {
    this.eos++;
  }

  ramFlush(): void {
    this.flushes++;
  }

  command({ name, offset, ranges, value }: StreamCommand): void {
    if (name === 'POSTCOPY_LISTEN') this.#postcopy = true;
    if ((ranges?.length ?? 0) > discardRangesPerCommand) {
      this.report('stream-format §4', `discard of ${ranges?.length} ranges in one command`, offset);
    }
    if (name === 'POSTCOPY_ADVISE' && value !== undefined && value % pageSize !== 0) {
      this.report('stream-format §4', `advise of RAM page sizes 0x${value.toString(16)}`, offset);
    }
  }

  vmdescription(text: string, length: number): void {
    this.#descriptionSeen = true;
    try {
      if (text.length === length) JSON.parse(text);
      else this.report('stream-format §3', `vmdescription of ${length} bytes, but ${text.length} came`);
    } catch {
      this.report('stream-format §6.2', 'the vmdescription is no JSON');
    }
  }

  complete(): void {
    if (this.#descriptionSeen || this.#postcopy) return;
    this.notes.push('no vmdescription behind EOF (the source has suppress-vmdesc=on)');
  }
}

export interface CheckOptions extends StreamOptions {
  readonly json?: boolean;
  readonly returnPath?: string;
}

export async function check(file: string, options: CheckOptions, io: Io): Promise<void> {
  const input = await openInput(file, options, io);
  const { rules } = input.options;
  const checks = new ConformanceChecks(rules);
  // Of the connection before a recovery connection only the state counts here.
  const earlier: StreamHandler = {
    sectionBegin: (section) => checks.sectionBegin(section),
    command: (command) => checks.command(command),
  };
  const reader = await readInput(input, checks, io, earlier, (begun) => {
    checks.offset = () => begun.offset;
  });
  const { error } = reader;
  if (error instanceof StreamError) {
    const place = error.section === '' ? '' : `${error.section}: `;
    checks.report(
      'stream-format §10',
      `${place}${error.field}: expected ${error.expected}, got ${error.got}`,
      error.offset,
    );
  } else if (error !== undefined) throw error;
  const behind = reader.takeRest().length;
  if (behind > 0 && error === undefined) {
    checks.report('stream-format §3', `${behind} bytes behind the end of the stream`, reader.offset - behind);
  }
  const bytes = Math.min(reader.offset, input.received);
  const channels = options.channel ?? [];
  if (channels.length > 0) {
    const main = { rules, blocks: reader.state.blocks, syncs: checks.flushes > 0 ? checks.flushes : checks.eos };
    await checkChannels(channels, options, main, io, (...violation) => checks.report(...violation));
  }
  if (options.returnPath !== undefined) {
    await checkReturnPath(options.returnPath, rules, (...violation) => checks.report(...violation));
  }
  if (options.json === true) {
    const { violations, count, notes } = checks;
    io.out.write(`${JSON.stringify({ file, dialect: input.dialect, bytes, count, violations, notes }, null, 2)}\n`);
  } else {
    for (const { offset: at, requirement, text } of checks.violations) {
      io.out.write(`0x${at.toString(16).padStart(8, '0')}  ${requirement.padEnd(20)}  ${text}\n`);
    }
    const more = checks.count - checks.violations.length;
    if (more > 0) io.out.write(`and ${more} more\n`);
    for (const note of checks.notes) io.out.write(`note: ${note}\n`);
    const verdict = checks.count === 0 ? 'conforms' : `${checks.count} violation${checks.count === 1 ? '' : 's'}`;
    io.out.write(`${file}: ${verdict} (${bytes} bytes, dialect ${input.dialect})\n`);
  }
  if (checks.count > 0) io.exitCode = exitCodes.divergences;
}
