/** What is wrong before the body of a section: header, configuration, items, footers (stream-format.md §10). */
import { encodeTimer } from '../../reference/stream/device-layout.js';
import type { StreamWriter } from '../../reference/stream/stream-writer.js';
import type { Needs } from '../requirement.js';
import { ramStart } from './loading.js';
import { begun, cutBehind, hex, type Row, raw } from './malformed-row.js';
import { capabilityList, pageBits, u32 } from './subsections.js';

const head = '5145564d00000003';
const subsectionNeeds: Needs = {
  unless: ({ dialect }) =>
    dialect.stream.configurationSubsections.includes('capabilities') ? undefined : 'no such subsection',
};

export const headerRows: readonly Row[] = [
  {
    id: '01.empty',
    what: 'an empty stream',
    write: () => undefined,
    cut: true,
    magic: false,
    line: /Not a migration stream/,
  },
  {
    id: '01.magic',
    what: 'another magic',
    write: raw('5145564e00000003'),
    magic: false,
    line: /Not a migration stream/,
  },
  {
    id: '01.short',
    what: 'less than a magic',
    write: raw('514556'),
    cut: true,
    magic: false,
    line: /Not a migration stream/,
    // Releases that look ahead for a whole magic wait for the rest of it, also behind the end.
    needs: { unless: ({ dialect }) => (dialect.migration.activeWithBytes ? 'waits for the whole magic' : undefined) },
  },
  { id: '02', what: 'version 2', write: raw('5145564d00000002'), line: /SaveVM v2 format is obsolete/ },
  { id: '03.version', what: 'version 4', write: raw('5145564d00000004'), line: /Unsupported migration stream version/ },
  {
    id: '03.cut',
    what: 'only a magic',
    write: raw('5145564d'),
    cut: true,
    line: /Unsupported migration stream version/,
  },
  { id: '04.other', what: 'no configuration', write: raw(`${head} 01`), line: /Configuration section missing/ },
  { id: '04.cut', what: 'only a header', write: raw(head), cut: true, line: /Configuration section missing/ },
  {
    id: '05',
    what: 'another machine',
    write: raw(`${head} 07 00000002 7063 00 00 00`),
    line: /Machine type received is/,
  },
  { id: '06.cut', what: 'a cut machine name', write: raw(`${head} 07 00000004 6e6f`), cut: true },
  { id: '06.long', what: 'a machine name of 2 GiB', write: raw(`${head} 07 7fffffff 6e6f6e65`), cut: true },
  {
    id: '07',
    what: 'another page size',
    write: (writer, feed) => {
      writer.header();
      writer.configuration('none', [pageBits(13)]);
      feed.end();
    },
    line: /Received TARGET_PAGE_BITS is 13 but local is 12/,
  },
  {
    id: '08',
    what: 'a newer version of a subsection',
    write: (writer, feed) => {
      writer.header();
      writer.configuration('none', [pageBits(12, 2)]);
      feed.end();
    },
    line: /incoming version_id 2 is too new/,
  },
  {
    id: '09',
    what: 'an unknown subsection of the configuration',
    write: (writer, feed) => {
      writer.header();
      writer.configuration('none', [{ name: 'configuration/qmpspec', version: 1, body: u32(0) }]);
      feed.end();
    },
  },
  {
    id: '10',
    what: 'an unknown capability in the configuration',
    write: (writer, feed) => {
      writer.header();
      writer.configuration('none', [capabilityList('qmpspec-bogus')]);
      feed.end();
    },
    line: /Received unknown capability/,
    needs: subsectionNeeds,
  },
];

export const itemRows: readonly Row[] = [
  ...[5, 6, 7, 9, 126, 255].map((type) => ({
    id: `11.${type}`,
    what: `an item of type ${type}`,
    write: begun((writer) => writer.out.u8(type)),
    line: new RegExp(`Unknown savevm section type ${type}`),
  })),
  {
    id: '12.name',
    what: 'a section of an unknown handler',
    write: begun((writer) => writer.device(9, 'qmpspec', 0, 1, Buffer.alloc(4))),
    line: /Unknown savevm section or instance 'qmpspec' 0/,
  },
  {
    id: '12.instance',
    what: 'a section of an unknown instance',
    write: begun((writer) => writer.device(9, 'timer', 7, 2, encodeTimer(0n, 0n))),
    line: /Unknown savevm section or instance 'timer' 7/,
  },
  {
    id: '13.empty',
    what: 'a section without a name',
    write: begun(raw('01 00000001 00 00000000 00000004')),
    line: /Unable to read ID string for section 1/,
  },
  {
    id: '13.cut',
    what: 'a section whose name is cut',
    write: (_, feed) => feed.begin().writer.out.bytes(hex('01 00000001 03 7261')),
    cut: true,
    line: /Unable to read ID string for section 1/,
  },
  {
    id: '14',
    what: 'a section whose version is cut',
    write: cutBehind(raw('01 00000001 03 72616d 00000000 0000')),
    cut: true,
    line: /Failed to read instance\/version ID: -5/,
  },
  {
    id: '15',
    what: 'a PART whose id is cut',
    write: cutBehind(raw('02 0000')),
    cut: true,
    line: /Failed to read section ID: -5/,
  },
  {
    id: '16',
    what: 'a stream that is cut between two items',
    write: cutBehind((writer) => ramStart(writer)),
    cut: true,
  },
  {
    id: '17',
    what: 'a newer version of ram',
    write: begun((writer) => {
      writer.start(1, 'ram', 0, 5);
      writer.ram.eos();
      writer.footer();
    }),
    line: /unsupported version 5 for 'ram' v4/,
  },
  ...[0, 3].map((version) => ({
    id: `18.${version}`,
    what: `version ${version} of ram`,
    write: begun((writer: StreamWriter) => {
      writer.start(1, 'ram', 0, version);
      writer.ram.eos();
      writer.footer();
    }),
    line: /error while loading state for instance 0x0 of device 'ram'/,
  })),
  {
    id: '19',
    what: 'a PART of a section that was not begun',
    write: begun((writer) => {
      writer.part(77);
      writer.ram.eos();
      writer.footer();
    }),
    line: /Unknown savevm section 77/,
  },
  ...[20, 28].map((length) => ({
    id: `20.${length}`,
    what: `a device body of ${length} bytes instead of 24`,
    write: begun((writer: StreamWriter) => writer.device(3, 'timer', 0, 2, Buffer.alloc(length))),
    line: /Missing section footer for timer/,
  })),
  {
    id: '21',
    what: 'a section without a footer',
    write: begun((writer) => {
      writer.start(1, 'ram', 0, 4);
      writer.ram.eos();
    }),
    line: /Missing section footer for ram/,
  },
  {
    id: '22',
    what: 'a footer with another id',
    write: begun((writer) => {
      writer.start(1, 'ram', 0, 4);
      writer.ram.eos();
      writer.out.bytes(hex('7e 00000002'));
    }),
    line: /Mismatched section id in footer for ram - read 0x2 expected 0x1/,
  },
  {
    id: '23',
    what: 'a stream that is cut before a footer',
    write: cutBehind((writer) => {
      writer.start(1, 'ram', 0, 4);
      writer.ram.eos();
    }),
    cut: true,
    line: /Read section footer failed: -5/,
  },
  {
    id: '24',
    what: 'a device version below the least',
    write: begun((writer) => writer.device(3, 'timer', 0, 0, Buffer.alloc(16))),
    line: /timer: incoming version_id 0 is too old/,
  },
  {
    id: '25',
    what: 'a stream that is cut inside a device',
    write: cutBehind((writer) => {
      writer.full(4, 'globalstate', 0, 1);
      writer.out.bytes(Buffer.from('\0\0\0\x08runn', 'latin1'));
    }),
    cut: true,
    line: /error while loading state for instance 0x0 of device 'globalstate'/,
  },
];
