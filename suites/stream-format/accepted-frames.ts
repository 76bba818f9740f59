/** What is out of the ordinary around the memory: configuration, sections, commands, devices, end (stream-format.md §2 to §6). */
import { encodeGlobalState, encodeTimer } from '../../reference/stream/device-layout.js';
import type { StreamWriter, Subsection } from '../../reference/stream/stream-writer.js';
import { unlessExact } from '../commands/dialect-fit.js';
import { block } from '../state-machine/feed.js';
import type { AcceptedRow } from './accepted-row.js';
import { pageOf, ramEnd, ramId, ramPart, ramStart } from './loading.js';
import { hex, recordHead } from './malformed-row.js';
import { capabilityList, pageBits } from './subsections.js';

const begins =
  (machine: string, subsections: readonly Subsection[] = []) =>
  (writer: StreamWriter): void => {
    writer.header();
    writer.configuration(machine, [...subsections]);
  };
const none: ReadonlyMap<number, Buffer> = new Map();

const begin: readonly AcceptedRow[] = [
  ...['none', 'no', ''].map(
    (name): AcceptedRow => ({
      id: `MIG-STR-HDR-05.${name || 'empty'}`,
      places: ['begin'],
      begin: begins(name),
      items: (writer) => {
        ramStart(writer);
        return none;
      },
    }),
  ),
  {
    id: 'MIG-STR-HDR-07',
    places: ['begin'],
    begin: begins('none', [pageBits(12)]),
    items: (writer) => {
      ramStart(writer);
      ramPart(writer, ({ ram }) => ram.zero(block, 0));
      return none;
    },
  },
  ...[[], ['xbzrle'], ['events', 'auto-converge']].map(
    (names): AcceptedRow => ({
      id: `MIG-STR-HDR-08.${names.length}`,
      places: ['begin'],
      fits: ({ dialect }) => dialect.stream.configurationSubsections.includes('capabilities'),
      begin: begins('none', [capabilityList(...names)]),
      items: (writer) => {
        ramStart(writer);
        return none;
      },
    }),
  ),
];

const end: readonly AcceptedRow[] = [
  ...['0600000000', '060000000378797a', '06000000027b7d09'].map(
    (bytes): AcceptedRow => ({ id: `MIG-STR-VMD-10.${bytes}`, places: ['end'], end: { bytes: hex(bytes) } }),
  ),
  ...['', '06', '0600000064', '06000000647b'].map(
    (bytes): AcceptedRow => ({
      id: `MIG-STR-VMD-11.${bytes || 'none'}`,
      places: ['end'],
      end: { bytes: hex(bytes), closes: true },
    }),
  ),
];

const devices: readonly AcceptedRow[] = [
  {
    id: 'MIG-STR-DEV-10',
    places: [],
    devices: (writer) => {
      for (const length of [16, 24]) {
        writer.device(3, 'timer', 0, length === 16 ? 1 : 2, encodeTimer(5n, 7n).subarray(0, length));
      }
    },
  },
  {
    id: 'MIG-STR-DEV-11',
    places: ['run state'],
    fits: (facts) => unlessExact(facts) === undefined,
    state: (writer, rules) => {
      const body = encodeGlobalState(rules, 'paused');
      body.writeUInt32BE(0xffffffff, 0);
      writer.device(4, 'globalstate', 0, 1, body);
      return 'paused';
    },
  },
  ...['shutdown', 'watchdog', 'io-error'].map(
    (state): AcceptedRow => ({
      id: `MIG-STR-DEV-12.${state}`,
      places: ['run state'],
      state: (writer, rules) => {
        writer.device(4, 'globalstate', 0, 1, encodeGlobalState(rules, state));
        return state;
      },
    }),
  ),
];

const sections: readonly AcceptedRow[] = [
  {
    id: 'MIG-STR-SEC-11',
    places: ['no memory'],
    items: () => none,
  },
  {
    id: 'MIG-STR-SEC-10',
    places: [],
    items: (writer, at) => {
      const pages = new Map<number, Buffer>();
      for (const [i, id] of [1, 0x7fffffff, 0xfffffffe].entries()) {
        const [first, second] = [at + 2 * i, at + 2 * i + 1];
        writer.full(id, 'ram', 0, 4);
        writer.ram.setup([block]);
        writer.ram.eos();
        writer.footer();
        writer.end(id);
        writer.ram.page(block, first * 4096, pageOf('A'), 0);
        writer.ram.eos();
        writer.footer();
        writer.part(id);
        writer.ram.page(block, second * 4096, pageOf('B'), 0);
        writer.ram.eos();
        writer.footer();
        pages.set(first, pageOf('A')).set(second, pageOf('B'));
      }
      return pages;
    },
  },
  {
    id: 'MIG-STR-SEC-12',
    places: [],
    items: (writer, at) => {
      ramStart(writer);
      writer.start(9, 'ram', 0, 4);
      writer.ram.eos();
      writer.footer();
      writer.part(9);
      writer.ram.page(block, at * 4096, pageOf('C'), 0);
      writer.ram.eos();
      writer.footer();
      return new Map([[at, pageOf('C')]]);
    },
  },
];

/** A PART section of `ram` as it stands on the wire, with records that begin with one that names the block. */
const rawPart = (at: number, content: Buffer, ...more: readonly Buffer[]): Buffer =>
  Buffer.concat([
    Buffer.from([2, 0, 0, 0, ramId]),
    recordHead(at, 0x008),
    Buffer.from([3]),
    Buffer.from('ram'),
    content,
    ...more,
    hex('00000000000000107e000000'),
    Buffer.from([ramId]),
  ]);

const commands: readonly AcceptedRow[] = [
  {
    id: 'MIG-STR-CMD-13',
    places: [],
    items: (writer, at) => {
      ramStart(writer);
      // A page and the end mark, as items of their own.
      writer.packaged(Buffer.concat([rawPart(at, pageOf('D')), Buffer.from([0])]));
      ramPart(writer, ({ ram }) => ram.page(block, (at + 1) * 4096, pageOf('E'), 0));
      ramEnd(writer);
      return new Map([
        [at, pageOf('D')],
        [at + 1, pageOf('E')],
      ]);
    },
  },
  {
    id: 'MIG-STR-CMD-15',
    places: ['size'],
    items: (writer, at) => {
      ramStart(writer);
      const again = Buffer.concat([recordHead(at, 0x028), pageOf('F')]);
      const inner = rawPart(at, pageOf('F'), ...Array.from({ length: 4200 }, () => again));
      writer.packaged(Buffer.concat([inner, Buffer.from([0])]));
      return new Map([[at, pageOf('F')]]);
    },
  },
  {
    id: 'MIG-STR-CMD-16',
    places: [],
    fits: ({ dialect }) => dialect.stream.commands.includes('SWITCHOVER_START'),
    items: (writer) => {
      ramStart(writer);
      writer.command('SWITCHOVER_START');
      ramEnd(writer);
      return none;
    },
  },
];

export const acceptedFrames: readonly AcceptedRow[] = [...sections, ...begin, ...end, ...devices, ...commands];
