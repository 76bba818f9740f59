import { peekSubsection } from './device-section.js';
import { SectionType, streamMagic, streamVersion } from './format.js';
import type { ReaderContext, Steps } from './reader-context.js';

/** Longest part of a machine name that is kept; longer ones are read to their end all the same. */
const keptName = 1024;
/** Longest body of an unknown subsection that is searched, in bytes. */
const longestUnknown = 4096;

/** Reads magic and version. */
export function* readHeader(context: ReaderContext): Steps {
  const magic = yield* context.be32();
  if (magic !== streamMagic) {
    const got = `0x${magic.toString(16).padStart(8, '0')}`;
    const lines = ['Not a migration stream'];
    throw context.fail('INV', { offset: 0, field: 'magic', expected: '0x5145564d ("QEVM")', got, lines });
  }
  const version = yield* context.be32();
  if (version !== streamVersion) {
    const line =
      version === 2 ? "SaveVM v2 format is obsolete and don't work anymore" : 'Unsupported migration stream version';
    throw context.fail('SUP', { offset: 4, field: 'version', expected: '3', got: `${version}`, lines: [line] });
  }
  context.handler.header?.();
}

/** Reads the configuration with its subsections (stream-format.md §2). */
export function* readConfiguration(context: ReaderContext): Steps {
  const { local, handler } = context;
  const at = context.source.offset;
  const type = yield* context.u8();
  if (type !== SectionType.configuration || context.source.pastEnd) {
    const lines = ['Configuration section missing'];
    const got = context.source.pastEnd ? 'end of stream' : `${type}`;
    throw context.fail('INV', { offset: at, field: 'section type', expected: '7 (configuration)', got, lines });
  }
  const length = yield* context.be32();
  context.checkEnd('len', ['Failed to load configuration:len']);
  const name = yield* machineName(context, length);
  if (local !== undefined && (length > local.machineName.length || !local.machineName.startsWith(name))) {
    const lines = [`Machine type received is '${name}' and local is '${local.machineName}'`];
    const [expected, got] = [`'${local.machineName}'`, `'${name}'`];
    throw context.fail('INV', { offset: at + 5, field: 'machine name', expected, got, lines });
  }
  handler.configuration?.(name);
  for (;;) {
    const subsection = yield* peekSubsection(context, 'configuration');
    if (subsection === undefined) return;
    yield* readSubsection(context, subsection);
  }
}

function* machineName(context: ReaderContext, length: number): Steps<string> {
  const kept = Math.min(length, keptName);
  yield* context.need(kept);
  const name = context.source.text(kept);
  for (let left = length - kept; left > 0; ) {
    const some = Math.min(left, 4096);
    yield* context.need(some);
    context.source.pos += some;
    left -= some;
    if (context.source.pastEnd) break;
  }
  context.checkEnd('machine name', ['Failed to load configuration:name']);
  return name;
}

function* readSubsection(context: ReaderContext, name: string): Steps {
  const { source, rules, handler } = context;
  const at = source.offset;
  const short = name.slice('configuration/'.length);
  const known = name.startsWith('configuration/') && rules.configurationSubsections.includes(short);
  if (!known && context.local === undefined) return yield* readUnknownSubsection(context, name);
  if (!known) {
    const expected = rules.configurationSubsections.join(', ');
    throw context.fail('NOENT', { offset: at, field: 'subsection', expected, got: `'${name}'` });
  }
  source.pos += 2 + name.length;
  const version = yield* context.be32();
  if (version > 1) {
    const lines = [`${name}: incoming version_id ${version} is too new for local version_id 1`];
    throw context.fail('INV', { offset: at, field: `version of ${name}`, expected: '1', got: `${version}`, lines });
  }
  const body =
    short === 'target-page-bits'
      ? yield* pageBits(context)
      : short === 'uuid'
        ? yield* uuid(context)
        : yield* capabilities(context);
  handler.configurationSubsection?.({ name, version, body });
}

/** A recording's subsection that nothing is known of: its body is what lies before the next thing that can follow it. */
function* readUnknownSubsection(context: ReaderContext, name: string): Steps {
  const { source, handler } = context;
  const at = source.offset;
  source.pos += 2 + name.length;
  const version = yield* context.be32();
  context.checkEnd(`version of ${name}`);
  while (!source.has(longestUnknown) && !source.finished) yield;
  const length = Math.min(longestUnknown, source.waiting);
  source.has(length);
  const view = source.buffer.subarray(source.pos, source.pos + length);
  for (let end = 0; end <= length; end++) {
    if (!canFollowSubsection(view.subarray(end))) continue;
    handler.configurationSubsection?.({ name, version, body: Buffer.from(view.subarray(0, end)) });
    handler.message?.(`${name}: unknown subsection of the configuration, ${end} bytes`);
    source.pos += end;
    return;
  }
  const expected = 'a known subsection, or a section or command within 4 KiB behind it';
  throw context.fail('NOENT', { offset: at, field: 'subsection', expected, got: `'${name}'` });
}

/** Another subsection, the START or FULL of a section, or a command begins here. */
function canFollowSubsection(bytes: Buffer): boolean {
  if (bytes.length < 5) return false;
  const type = bytes[0]!;
  if (type === SectionType.subsection) return bytes.toString('latin1', 2, 16) === 'configuration/';
  if (type === SectionType.command) {
    const [number, length] = [bytes.readUInt16BE(1), bytes.readUInt16BE(3)];
    return number >= 1 && number <= 3 && (length === 0 || length === 4 || length === 16);
  }
  if (type !== SectionType.start && type !== SectionType.full) return false;
  const length = bytes[5] ?? 0;
  return bytes.readUInt32BE(1) < 0x10000 && length > 0 && /^[ -~]+$/.test(bytes.toString('latin1', 6, 6 + length));
}

function* pageBits(context: ReaderContext): Steps<Buffer> {
  const bits = yield* context.be32();
  context.checkEnd('page bits', ['Failed to load configuration/target-page-bits:page_bits']);
  if (bits !== 12) {
    const lines = [`Received TARGET_PAGE_BITS is ${bits} but local is 12`];
    throw context.fail('INV', { field: 'page bits', expected: '12', got: `${bits}`, lines });
  }
  const body = Buffer.alloc(4);
  body.writeUInt32BE(bits);
  return body;
}

function* uuid(context: ReaderContext): Steps<Buffer> {
  yield* context.need(16);
  const { source, local, handler } = context;
  context.checkEnd('UUID', ['Failed to load configuration/uuid:uuid']);
  const received = Buffer.from(source.buffer.subarray(source.pos, source.pos + 16));
  source.pos += 16;
  if (local === undefined) return received;
  if (local.uuid === undefined) {
    handler.message?.(`UUID is received ${uuidText(received)}, but this machine has none`);
    return received;
  }
  if (!local.uuid.equals(received)) {
    const [got, expected] = [uuidText(received), uuidText(local.uuid)];
    throw context.fail('INV', {
      field: 'UUID',
      expected,
      got,
      lines: [`UUID received is ${got} and local is ${expected}`],
    });
  }
  return received;
}

function* capabilities(context: ReaderContext): Steps<Buffer> {
  const { local, rules } = context;
  const parts: Buffer[] = [Buffer.alloc(4)];
  const count = yield* context.be32();
  parts[0]!.writeUInt32BE(count);
  const names = new Set<string>();
  const loading = 'Failed to load configuration/capabilities:capabilities';
  for (let i = 0; i < count; i++) {
    const name = yield* context.str8();
    context.checkEnd('capability name', [loading]);
    if (local !== undefined && !local.knownCapabilities.includes(name)) {
      const lines = [`Received unknown capability ${name}`, loading];
      throw context.fail('INV', { field: 'capability', expected: 'a known capability', got: `'${name}'`, lines });
    }
    names.add(name);
    parts.push(Buffer.from([name.length]), Buffer.from(name, 'latin1'));
  }
  for (const name of rules.validatedCapabilities) {
    if (local === undefined || local.capabilities.has(name) === names.has(name)) continue;
    const [own, other] = names.has(name) ? ['off', 'on'] : ['on', 'off'];
    const lines = [`Capability ${name} is ${own}, but received capability is ${other}`];
    throw context.fail('INV', { field: `capability ${name}`, expected: own, got: other, lines });
  }
  if (names.has('x-ignore-shared')) context.guestAddresses = true;
  if (names.has('mapped-ram')) context.mappedRam = true;
  return Buffer.concat(parts);
}

/** A UUID in its usual notation. */
export function uuidText(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
