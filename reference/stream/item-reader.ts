import { blockSection } from './block-section.js';
import { ByteSource } from './byte-source.js';
import { CommandReader } from './command-reader.js';
import { describedDevice, knownDevice, searchedDevice } from './device-section.js';
import { dirtyBitmapSection } from './dirty-bitmap-section.js';
import { type BodySectionType, ramSectionVersion, SectionType } from './format.js';
import type { BodyKind, SectionEntry } from './local-machine.js';
import { RamSectionReader } from './ram-section.js';
import type { ReaderContext, Steps } from './reader-context.js';
import { StreamError } from './stream-error.js';
import type { SectionInfo } from './stream-handler.js';
import type { StreamReaderOptions } from './stream-reader.js';

const defaultPackageBytes = 256 * 1024 * 1024;
const defaultDescriptionBytes = 4 * 1024 * 1024;

/** Reads a list of items: the stream's own, or a postcopy package's (stream-format.md §1, §3). */
export class ItemReader {
  readonly #ram: RamSectionReader;
  readonly #commands: CommandReader;
  #footers: boolean | 'found';

  constructor(
    private readonly context: ReaderContext,
    private readonly options: StreamReaderOptions,
  ) {
    this.#ram = new RamSectionReader(context);
    this.#commands = new CommandReader(context);
    this.#footers = options.footers ?? true;
  }

  /** Reads items up to EOF, or in a package up to POSTCOPY_RUN. */
  *list(): Steps<'eof' | 'run'> {
    const { context } = this;
    for (;;) {
      if (context.paused) yield* context.checkPause();
      const offset = context.source.offset;
      const type = yield* context.u8();
      if (context.source.pastEnd) {
        const error = context.fail('IO', { offset, field: 'item type', expected: 'an item', got: 'end of stream' });
        error.section = 'item';
        throw error;
      }
      switch (type) {
        case SectionType.start:
        case SectionType.full:
          yield* this.#named(type, offset);
          break;
        case SectionType.part:
        case SectionType.end:
          yield* this.#continued(type, offset);
          break;
        case SectionType.command: {
          const outcome = yield* this.#commands.command();
          if (outcome === 'run' && context.depth > 0) return 'run';
          if (typeof outcome === 'object') yield* this.#package(outcome.package);
          break;
        }
        case SectionType.eof:
          return 'eof';
        default: {
          const lines = [`Unknown savevm section type ${type}`];
          const error = context.fail('INV', { offset, field: 'item type', expected: 'an item', got: `${type}`, lines });
          error.section = 'item';
          throw error;
        }
      }
    }
  }

  /** Reads what comes behind EOF (stream-format.md §3): nothing here makes the load fail. */
  *vmdescription(): Steps {
    const { context } = this;
    const type = yield* context.u8();
    if (type !== SectionType.vmdescription) {
      if (!context.source.pastEnd) context.source.pos--;
      context.handler.message?.(`Expected vmdescription section, but got ${type}`);
      return;
    }
    const length = yield* context.be32();
    const kept: Buffer[] = [];
    let room = this.options.maxDescriptionBytes ?? defaultDescriptionBytes;
    for (let left = length; left > 0 && !context.source.exhausted; ) {
      yield* this.#anyByte();
      const { source } = context;
      if (source.pastEnd) break;
      const some = Math.min(left, source.end - source.pos);
      if (room > 0) kept.push(Buffer.from(source.buffer.subarray(source.pos, source.pos + Math.min(some, room))));
      room -= some;
      source.pos += some;
      left -= some;
    }
    context.handler.vmdescription?.(Buffer.concat(kept).toString('latin1'), length);
  }

  *#named(type: BodySectionType, offset: number): Steps {
    const { context } = this;
    const id = yield* context.be32();
    const idstr = yield* context.str8();
    if (idstr === '' || context.source.pastEnd) {
      const lines = [`Unable to read ID string for section ${id}`];
      throw context.fail('INV', { field: 'idstr', expected: 'a name', got: idstr === '' ? 'none' : 'end', lines });
    }
    const instance = yield* context.be32();
    const version = yield* context.be32();
    const unread = ['qemu_loadvm_section_start_full: Failed to read instance/version ID: -5'];
    context.checkEnd('instance and version id', unread);
    const entry = this.#find(idstr, instance, version, offset);
    if (version > entry.version) {
      const lines = [`savevm: unsupported version ${version | 0} for '${idstr}' v${entry.version}`];
      const expected = `at most ${entry.version}`;
      throw inSection(idstr, context.fail('INV', { field: 'version id', expected, got: `${version | 0}`, lines }));
    }
    entry.sectionId = id;
    entry.loadVersion = version;
    const line = `error while loading state for instance 0x${instance.toString(16)} of device '${idstr}'`;
    yield* this.#section(entry, type, id, offset, line);
  }

  *#continued(type: BodySectionType, offset: number): Steps {
    const { context } = this;
    const id = yield* context.be32();
    context.checkEnd('section id', ['qemu_loadvm_section_part_end: Failed to read section ID: -5']);
    const entry = context.state.entries.find((candidate) => candidate.sectionId === id);
    if (entry === undefined) {
      const lines = [`Unknown savevm section ${id | 0}`];
      const expected = 'the id of a section that was started';
      throw context.fail('INV', { offset, field: 'section id', expected, got: `${id}`, lines });
    }
    yield* this.#section(entry, type, id, offset, `error while loading state section id ${id | 0}(${entry.idstr})`);
  }

  *#section(entry: SectionEntry, type: BodySectionType, id: number, offset: number, line: string): Steps {
    const { context } = this;
    const { idstr, instance, loadVersion: version } = entry;
    const section: SectionInfo = { type, id, idstr, instance, version, offset, depth: context.depth };
    context.handler.sectionBegin?.(section);
    try {
      yield* this.#body(entry, section);
    } catch (error) {
      if (error instanceof StreamError) {
        if (error.offset < 0) error.offset = context.source.offset;
        if (error.section === '') error.lines.push(line);
        inSection(idstr, error);
      }
      throw error;
    }
    if (this.#footers === 'found') this.#footers = !(yield* this.#itemFollows());
    if (this.#footers) yield* this.#footer(section);
    context.handler.sectionEnd?.(section, context.source.offset);
  }

  *#body(entry: SectionEntry, section: SectionInfo): Steps {
    const { context } = this;
    switch (entry.kind) {
      case 'ram':
        if (entry.loadVersion !== ramSectionVersion) {
          const got = `${entry.loadVersion}`;
          throw context.fail('INV', { field: 'version id', expected: `${ramSectionVersion}`, got });
        }
        return yield* this.#ram.body();
      case 'block':
        return yield* blockSection(context);
      case 'dirty-bitmap':
        return yield* dirtyBitmapSection(context);
      case 'device': {
        const body = yield* this.#device(entry, section);
        context.handler.device?.(section, body);
      }
    }
  }

  *#device(entry: SectionEntry, section: SectionInfo): Steps<Buffer> {
    const { context } = this;
    if (section.type === SectionType.full) {
      const index = context.described.findIndex(
        ({ name, instance }) => name === entry.idstr && instance === entry.instance,
      );
      if (index !== -1) return yield* describedDevice(context, context.described.splice(index, 1)[0]!.size);
    }
    const searched = () => searchedDevice(context, section, this.#footers !== false);
    return yield* entry.layout === undefined ? searched() : knownDevice(context, entry, entry.layout, searched);
  }

  /** Behind the first section comes another item instead of a footer. */
  *#itemFollows(): Steps<boolean> {
    yield* this.context.need(1);
    const { source } = this.context;
    const next = source.buffer[source.pos]!;
    return !source.pastEnd && (next <= SectionType.full || next === SectionType.command);
  }

  *#footer(section: SectionInfo): Steps {
    const { context } = this;
    const offset = context.source.offset;
    const mark = yield* context.u8();
    if (context.source.pastEnd) {
      const lines = ['check_section_footer: Read section footer failed: -5'];
      const got = 'end of stream';
      const error = context.fail('INV', { offset, field: 'footer', expected: 'a footer', got, lines });
      throw inSection(section.idstr, error);
    }
    if (mark !== SectionType.footer) {
      const lines = [`Missing section footer for ${section.idstr}`];
      const error = context.fail('INV', {
        offset,
        field: 'footer mark',
        expected: '0x7e',
        got: `0x${mark.toString(16)}`,
        lines,
      });
      throw inSection(section.idstr, error);
    }
    const id = yield* context.be32();
    if (id === section.id) return;
    const [got, expected] = [`0x${id.toString(16)}`, `0x${section.id.toString(16)}`];
    const lines = [`Mismatched section id in footer for ${section.idstr} - read ${got} expected ${expected}`];
    throw inSection(
      section.idstr,
      context.fail('INV', { offset: offset + 1, field: 'footer id', expected, got, lines }),
    );
  }

  /** The handler that idstr and instance name; without a machine to compare with, every name has one. */
  #find(idstr: string, instance: number, version: number, offset: number): SectionEntry {
    const { context } = this;
    const { entries } = context.state;
    const found = entries.find((entry) => entry.idstr === idstr && entry.instance === instance);
    if (found !== undefined) return found;
    if (context.local !== undefined) {
      const line = `Unknown savevm section or instance '${idstr}' ${instance}${context.rules.unknownSectionHint}`;
      const got = `'${idstr}' ${instance}`;
      throw context.fail('INV', { offset, field: 'idstr', expected: 'a known section', got, lines: [line] });
    }
    const kind = liveKind(idstr);
    const newest = kind === 'ram' ? ramSectionVersion : kind === 'device' ? 0xffffffff : Math.max(1, version);
    const made: SectionEntry = { idstr, instance, version: newest, kind, sectionId: 0, loadVersion: 0 };
    const layout = context.fixedLayouts.find((fixed) => fixed.idstr === idstr && fixed.instance === instance);
    const entry = layout === undefined || kind !== 'device' ? made : { ...made, layout };
    entries.push(entry);
    return entry;
  }

  *#package(size: number): Steps {
    const { context } = this;
    const start = context.source.offset;
    const bytes = yield* this.#packageBytes(size);
    const outer = context.source;
    const inner = new ByteSource(start);
    inner.push(bytes);
    inner.finish();
    context.handler.packageBegin?.(bytes);
    context.source = inner;
    context.depth++;
    const by = yield* this.list();
    context.source = outer;
    context.depth--;
    context.handler.packageEnd?.(by);
  }

  /** Reads a package completely: a real destination does so before it looks at the first item. */
  *#packageBytes(size: number): Steps<Buffer> {
    const { context } = this;
    const limit = this.options.maxPackageBytes ?? defaultPackageBytes;
    const parts: Buffer[] = [];
    let got = 0;
    while (got < size) {
      yield* this.#anyByte();
      const { source } = context;
      if (source.pastEnd) break;
      const some = Math.min(size - got, source.end - source.pos);
      if (got + some <= limit) parts.push(Buffer.from(source.buffer.subarray(source.pos, source.pos + some)));
      else parts.length = 0;
      source.pos += some;
      got += some;
    }
    if (got === size && size <= limit) return Buffer.concat(parts);
    const lines = [`CMD_PACKAGED: Buffer receive fail ret=${got} length=${size}`];
    const expected = size > limit ? `at most ${limit} bytes` : `${size} bytes`;
    const error = context.fail('AGAIN', { field: 'package', expected, got: `${got} bytes`, lines });
    error.section = 'PACKAGED';
    throw error;
  }

  /** Waits for any byte; at the end of the stream sets `pastEnd`. */
  *#anyByte(): Steps {
    yield* this.context.need(1);
  }
}

/** Marks an error as belonging to a section; the innermost wins. */
function inSection(idstr: string, error: StreamError): StreamError {
  if (error.section === '') error.section = idstr;
  return error;
}

function liveKind(idstr: string): BodyKind {
  return idstr === 'ram' || idstr === 'block' || idstr === 'dirty-bitmap' ? idstr : 'device';
}
