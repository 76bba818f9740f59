/** Builds streams for a machine without devices, and says how a destination ends. */
import { migrationRules } from '../../../reference/dialects/migration.js';
import { streamRules } from '../../../reference/dialects/stream.js';
import { createGuestRam } from '../../../reference/ram/guest-ram.js';
import type { LocalMachine } from '../../../reference/stream/local-machine.js';
import { RamLoader } from '../../../reference/stream/ram-loader.js';
import { StreamError } from '../../../reference/stream/stream-error.js';
import { StreamReader } from '../../../reference/stream/stream-reader.js';
import { StreamWriter } from '../../../reference/stream/stream-writer.js';

export type TestDialect = '3.0' | '7.2' | '10.0';
export const ramSize = 0x200000;
/** Section id of `ram` in built streams. */
export const ramId = 1;
export const ramBlock = { name: 'ram' };

/** Bytes written in hex, blanks allowed. */
export function hex(text: string): Buffer {
  return Buffer.from(text.replace(/\s/g, ''), 'hex');
}

export function build(dialect: TestDialect, steps: (writer: StreamWriter) => void): Buffer {
  const writer = new StreamWriter(streamRules[dialect]);
  steps(writer);
  return writer.out.takeJoined();
}

/** Header and configuration, then `steps`. */
export function machine(dialect: TestDialect, steps: (writer: StreamWriter) => void): Buffer {
  return build(dialect, (writer) => {
    writer.header();
    writer.configuration('none');
    steps(writer);
  });
}

/** A START section of `ram` with its setup records. */
export function ramStart(writer: StreamWriter): void {
  writer.start(ramId, 'ram', 0, 4);
  writer.ram.setup([{ name: 'ram', length: ramSize }]);
  writer.ram.eos();
  writer.footer();
}

/** Header, configuration, `ram` START, then the bytes of a PART section without anything behind it. */
export function ramPart(dialect: TestDialect, steps: (writer: StreamWriter) => void): Buffer {
  return machine(dialect, (writer) => {
    ramStart(writer);
    writer.part(ramId);
    steps(writer);
  });
}

/** What a destination prints before the last line, and the reason in it; `complete` for a load that succeeds. */
export interface Outcome {
  readonly lines: readonly string[];
  readonly reason: string;
}

export interface DestinationOptions {
  readonly capabilities?: readonly string[];
  readonly uuid?: Buffer;
  /** RAM of the destination, default {@link ramSize}. */
  readonly ramSize?: number;
  /** Do without {@link RamLoader.pageRecords}. */
  readonly singly?: boolean;
  readonly pieces?: (bytes: Buffer) => Iterable<Buffer>;
  /** Each piece comes in the memory that is lent for input, where there is one, and is overwritten afterwards. */
  readonly lent?: boolean;
}

/** Loads bytes into a destination `-M none -m 2M`. */
export function load(
  dialect: TestDialect,
  bytes: Buffer,
  options: DestinationOptions = {},
): Outcome & { loader: RamLoader } {
  const size = options.ramSize ?? ramSize;
  const local: LocalMachine = {
    machineName: 'none',
    blocks: [{ name: 'ram', length: size }],
    capabilities: new Set(options.capabilities ?? []),
    knownCapabilities: migrationRules[dialect].capabilities,
    ...(options.uuid === undefined ? {} : { uuid: options.uuid }),
  };
  const loader = new RamLoader(createGuestRam([{ name: 'ram', size }]));
  const lines: string[] = [];
  const reader = new StreamReader(
    { rules: streamRules[dialect], local },
    {
      ramPage: (...page) => loader.ramPage(...page),
      ...(options.singly === true ? {} : { pageRecords: (...some) => loader.pageRecords(...some) }),
      command: ({ name, block, ranges }) => {
        if (name === 'POSTCOPY_RAM_DISCARD') loader.discard(block!, ranges!);
        if (name === 'POSTCOPY_LISTEN') loader.listen();
      },
      message: (line) => lines.push(line),
    },
  );
  try {
    const room = options.lent === true ? loader.ram.memory?.lendInput() : undefined;
    for (const piece of options.pieces?.(bytes) ?? [bytes]) {
      if (room === undefined) reader.push(piece);
      else {
        reader.push(room.subarray(0, piece.copy(room)));
        reader.detach();
        room.fill(0x55, 0, piece.length);
      }
    }
    reader.end();
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    return { lines: [...lines, ...error.lines], reason: error.reason, loader };
  }
  return { lines, reason: reader.status, loader };
}
