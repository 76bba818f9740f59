/** Parts of a stream that we feed to a destination: right ones, wrong ones, in any order. */
import type { StreamRules } from '../../reference/dialects/stream.js';
import { encodeGlobalState } from '../../reference/stream/device-layout.js';
import { StreamWriter } from '../../reference/stream/stream-writer.js';
import { type FeedPart, fedMemory } from '../../targets/scenario.js';

/** The one RAM block of the machine that targets are started with. */
interface Block {
  readonly name: string;
  /** Bytes. */
  readonly length: number;
}

const pageSize = 4096;
/** Section ids are the sender's choice. */
const sections = { ram: 40, globalstate: 41 } as const;

type Write = (writer: StreamWriter, rules: StreamRules, block: Block) => void;

/** A package with these commands. */
const packageOf =
  (...commands: readonly ('POSTCOPY_LISTEN' | 'POSTCOPY_RUN')[]): Write =>
  (writer, rules) => {
    const inner = new StreamWriter(rules);
    for (const command of commands) inner.command(command);
    writer.packaged(inner.out.takeJoined());
  };

/** A part of section `ram` with the zero pages from `first` to before `end`. */
function zeros(writer: StreamWriter, block: Block, first: number, end: number): void {
  writer.part(sections.ram);
  writer.ram.forgetBlock();
  for (let page = first; page < end; page++) writer.ram.zero(block, page * pageSize);
  writer.ram.eos();
  writer.footer();
}

const writes: Readonly<Record<FeedPart, Write>> = {
  header: (writer) => writer.header(),
  'bad-header': (writer) => writer.out.bytes(Buffer.from('QEVM\x00\x00\x00\x09', 'latin1')),
  configuration: (writer) => writer.configuration('none'),
  'other-machine': (writer) => writer.configuration('qmpspec'),
  'return-path': (writer) => writer.command('OPEN_RETURN_PATH'),
  advise: (writer) => writer.postcopyAdvise(pageSize),
  ram: (writer, _rules, block) => {
    writer.start(sections.ram, 'ram', 0, 4);
    writer.ram.setup([block]);
    writer.ram.eos();
    writer.footer();
  },
  pages: (writer, _rules, block) => zeros(writer, block, 0, 16),
  discard: (writer, _rules, block) => writer.postcopyDiscard(block.name, [{ start: 0, length: block.length }]),
  switch: packageOf('POSTCOPY_LISTEN', 'POSTCOPY_RUN'),
  listen: packageOf('POSTCOPY_LISTEN'),
  run: packageOf('POSTCOPY_RUN'),
  rest: (writer, _rules, block) => zeros(writer, block, 0, block.length / pageSize),
  'ram-end': (writer) => {
    writer.end(sections.ram);
    writer.ram.eos();
    writer.footer();
  },
  stopped: (writer, rules) =>
    writer.device(sections.globalstate, 'globalstate', 0, 1, encodeGlobalState(rules, 'paused')),
  end: (writer) => {
    writer.eof();
    writer.vmdescription('{}');
  },
  ping: (writer) => writer.ping(7),
  'recv-bitmap': (writer, _rules, block) => writer.recvBitmap(block.name),
  resume: (writer) => writer.command('POSTCOPY_RESUME'),
  garbage: (writer) => writer.out.bytes(Buffer.from('what is this?', 'latin1')),
};

/**
 * The bytes of these parts, one after the other.
 * @param ram bytes of guest RAM, 16 pages at least
 */
export function streamOf(parts: readonly FeedPart[], rules: StreamRules, ram = fedMemory << 20): Buffer {
  const writer = new StreamWriter(rules);
  for (const part of parts) writes[part](writer, rules, { name: 'ram', length: ram });
  return Buffer.from(writer.out.takeJoined());
}
