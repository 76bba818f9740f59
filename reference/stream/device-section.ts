import type { DeviceLayout } from './device-layout.js';
import { SectionType } from './format.js';
import type { SectionEntry } from './local-machine.js';
import type { ReaderContext, Steps } from './reader-context.js';
import type { SectionInfo } from './stream-handler.js';

/** Longest device body that is read: far above any real device, far below what would hurt. */
const longestBody = 64 * 1024 * 1024;

/**
 * Reads the body of a device section whose layout the receiver knows (stream-format.md §6.1).
 * @param rest reads what a machine that is not known adds to it in subsections: one that counts instructions, to `timer`
 */
export function* knownDevice(
  context: ReaderContext,
  entry: SectionEntry,
  layout: DeviceLayout,
  rest: () => Steps<Buffer>,
): Steps<Buffer> {
  const version = entry.loadVersion;
  if (version < layout.minimumVersion) {
    throw context.fail('INV', {
      field: 'version id',
      expected: `at least ${layout.minimumVersion}`,
      got: `${version}`,
      lines: [
        `${layout.idstr}: incoming version_id ${version} is too old for local minimum version_id  ${layout.minimumVersion}`,
      ],
    });
  }
  const parts: Buffer[] = [];
  for (const field of layout.fields) {
    if ((field.since ?? 0) > version) continue;
    yield* context.need(field.size);
    const { source } = context;
    parts.push(Buffer.from(source.buffer.subarray(source.pos, source.pos + field.size)));
    source.pos += field.size;
    context.checkEnd(field.name, [`Failed to load ${layout.idstr}:${field.name}`]);
  }
  const body = Buffer.concat(parts);
  layout.check?.(body);
  // What does not belong to it by name is left for the next parser (stream-format.md §2).
  const { idstr } = layout;
  const name = yield* peekSubsection(context, idstr);
  if (name === undefined) return body;
  if (context.local === undefined) return Buffer.concat([body, yield* rest()]);
  throw context.fail('NOENT', { field: 'subsection', expected: `a known subsection of ${idstr}`, got: `'${name}'` });
}

/** Name of the subsection that comes next if it belongs to `parent`; consumes nothing. */
export function* peekSubsection(context: ReaderContext, parent: string): Steps<string | undefined> {
  const { source } = context;
  if (!(yield* peek(context, 1)) || source.buffer[source.pos] !== SectionType.subsection) return undefined;
  if (!(yield* peek(context, 2))) return undefined;
  const length = source.buffer[source.pos + 1]!;
  if (length <= parent.length || !(yield* peek(context, 2 + length))) return undefined;
  const name = source.buffer.toString('latin1', source.pos + 2, source.pos + 2 + length);
  return name.startsWith(parent) ? name : undefined;
}

/** Waits for `n` bytes; false if the stream ends before them. */
function* peek(context: ReaderContext, n: number): Steps<boolean> {
  while (!context.source.has(n)) {
    if (context.source.finished) return false;
    yield;
  }
  return true;
}

/** Reads a body whose size the vmdescription tells. */
export function* describedDevice(context: ReaderContext, size: number): Steps<Buffer> {
  if (size > longestBody) {
    throw context.fail('INV', { field: 'device body', expected: `at most ${longestBody} bytes`, got: `${size}` });
  }
  yield* context.need(size);
  context.checkEnd('device body');
  const { source } = context;
  const body = Buffer.from(source.buffer.subarray(source.pos, source.pos + size));
  source.pos += size;
  return body;
}

/**
 * Reads a body of unknown size: up to a footer with the section's id behind which an item can begin. A heuristic for
 * streams without a vmdescription.
 */
export function* searchedDevice(context: ReaderContext, section: SectionInfo, footers = true): Steps<Buffer> {
  if (!footers) return yield* untilNextSection(context);
  const mark = Buffer.alloc(5);
  mark[0] = SectionType.footer;
  mark.writeUInt32BE(section.id, 1);
  const { source } = context;
  let searched = 0;
  for (let window = 64; ; window = Math.min(window * 2, source.waiting + 4096)) {
    if (window > longestBody) break;
    while (!source.has(window) && !source.finished) yield;
    const length = Math.min(window, source.waiting);
    source.has(length);
    const view = source.buffer.subarray(source.pos, source.pos + length);
    for (let at = view.indexOf(mark, searched); at !== -1; at = view.indexOf(mark, at + 1)) {
      const next = view[at + 5];
      const atEnd = next === undefined && source.finished;
      if (atEnd || (next !== undefined && isItemType(next))) {
        const body = Buffer.from(view.subarray(0, at));
        source.pos += at;
        return body;
      }
    }
    if (source.finished && length === source.waiting) break;
    searched = Math.max(0, length - 5);
  }
  throw context.fail('INV', {
    field: 'device body',
    expected: `a footer of section ${section.id}`,
    got: 'none',
    lines: [`Missing section footer for ${section.idstr}`],
  });
}

/** Without footers too: up to the header of another FULL section, or the EOF that ends the stream. */
function* untilNextSection(context: ReaderContext): Steps<Buffer> {
  const { source } = context;
  while (!source.finished && source.waiting <= longestBody) yield;
  const length = source.waiting;
  source.has(length);
  const view = source.buffer.subarray(source.pos, source.pos + length);
  let end = view.indexOf(SectionType.full);
  while (end !== -1 && !isFullHeader(view, end)) end = view.indexOf(SectionType.full, end + 1);
  if (end === -1 && view.at(-1) === SectionType.eof) end = length - 1;
  if (end === -1) {
    throw context.fail('INV', { field: 'device body', expected: 'another section or EOF behind it', got: 'none' });
  }
  source.pos += end;
  return Buffer.from(view.subarray(0, end));
}

function isFullHeader(view: Buffer, at: number): boolean {
  const length = view[at + 5] ?? 0;
  const behind = at + 6 + length;
  if (length === 0 || behind + 8 > view.length || view.readUInt32BE(at + 1) >= 0x10000) return false;
  const name = view.toString('latin1', at + 6, behind);
  return /^[ -~]+$/.test(name) && view.readUInt32BE(behind + 4) < 0x10000;
}

function isItemType(type: number): boolean {
  return type <= SectionType.full || type === SectionType.command;
}
