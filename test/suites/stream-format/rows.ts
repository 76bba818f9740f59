/**
 * What stream-format.md, xbzrle.md and multifd.md say, section by section and row by row, and the requirements that state
 * it: ids, or their beginnings, without `MIG-`. A row that none states is named as `suites/stream-format/left-out.ts` does.
 */
export interface StreamRow {
  readonly section: string;
  readonly row: string;
  readonly by: readonly string[];
}

const rows: StreamRow[] = [];
/** Rows of a section, one a line: `what it says: ID ID …`, or `what it says: left out`. */
function section(name: string, text: string): void {
  for (const line of text.trim().split('\n')) {
    const [row = '', ids = ''] = line.trim().split(': ');
    rows.push({ section: name, row, by: ids === 'left out' ? [] : ids.split(' ') });
  }
}

section(
  'stream-format.md §1',
  `order of the items: STR-SEC-01 STR-SEC-02 STR-SEC-03
   order of a postcopy: STR-PC-01`,
);
section(
  'stream-format.md §2',
  `header, configuration and its subsections: STR-HDR-
   send-configuration off: left out`,
);
section(
  'stream-format.md §3',
  `sections and their footers: STR-SEC-
   EOF and vmdescription: STR-VMD-
   alias and older instance ids: left out
   streams without footers: left out`,
);
section(
  'stream-format.md §4',
  `commands of a source: STR-CMD-01 STR-CMD-02 STR-CMD-03 STR-CMD-04
   commands at a destination: STR-CMD-1`,
);
section(
  'stream-format.md §5',
  `setup and page records of a source: STR-RAM-0
   setup and page records at a destination: STR-RAM-2
   compressed pages: STR-ZIP-
   page sizes in the setup: left out
   zero-page-detection none: left out`,
);
section('stream-format.md §6', 'device sections and their description: STR-DEV-');
section('stream-format.md §7', 'block and dirty-bitmap: left out');
section('stream-format.md §8', 'messages of the return path: STR-RP-');
section(
  'stream-format.md §9',
  `order at the source: STR-PC-0
   pages that are given back: STR-PC-09
   placing at the destination: STR-PC-30 STR-PC-31 STR-PC-32 STR-PC-33 STR-PC-34
   recovery: STR-PC-20 STR-PC-40
   advised, and ended in precopy: SM-I21.advised
   order in a page of the host: left out
   postcopy-preempt and mapped-ram: left out`,
);
section(
  'stream-format.md §10',
  `empty stream, bad magic, less than a magic: STR-BAD-01
   version 2: STR-BAD-02
   another version, or magic only: STR-BAD-03
   no configuration: STR-BAD-04
   another machine: STR-BAD-05
   name cut, or of 2 GiB: STR-BAD-06
   name of 4 GiB: left out
   page bits: STR-BAD-07
   subsection too new: STR-BAD-08
   unknown subsection: STR-BAD-09
   capability differs or unknown: STR-BAD-10 STR-HDR-
   UUID differs: STR-HDR-
   unknown item: STR-BAD-11
   unknown section or instance: STR-BAD-12
   empty or cut idstr: STR-BAD-13
   cut in instance or version: STR-BAD-14
   cut in the id of PART or END: STR-BAD-15
   cut between items: STR-BAD-16
   version too new: STR-BAD-17
   ram of an old version: STR-BAD-18
   PART of an unknown id: STR-BAD-19
   device body too short or too long: STR-BAD-20
   footer wrong or absent: STR-BAD-21
   footer of another section: STR-BAD-22
   cut before the footer: STR-BAD-23
   device below its minimum: STR-BAD-24
   cut inside a device, and a bad run state: STR-BAD-25 STR-DEV-
   unknown block in the setup: STR-BAD-30
   used length differs: STR-BAD-31
   total of another size than the blocks: STR-BAD-32
   an RDMA hook: STR-BAD-40
   CONTINUE without a block: STR-BAD-33
   unknown block in a page record: STR-BAD-34
   offset outside: STR-BAD-35
   unknown or combined flags: STR-BAD-36
   compressed page without the capability: STR-ZIP-11
   bad zlib data: STR-ZIP-13
   compressed length: STR-ZIP-14
   XBZRLE of another encoding, too long, undecodable: XBZ-REC-10 XBZ-DEC-10
   cut inside page data: STR-BAD-37
   cut in a record header: STR-BAD-38
   cut in a block name: STR-BAD-39
   command 0 or unknown: STR-BAD-50
   wrong fixed length: STR-BAD-51
   cut in the command header: STR-BAD-52
   PING without a return path: STR-BAD-53
   advice with postcopy off: STR-BAD-71
   advice without page sizes: SM-I31.empty
   advice of another length: SM-I31.length
   advice of other page sizes: SM-I31.sizes
   advice twice: SM-I31.twice
   listen or discard without advice: SM-I33 SM-I35
   run without listen: SM-I37
   a discard that is malformed: SM-I33
   discard without LISTEN: left out
   package cut: STR-BAD-60
   package of 4 GiB: left out
   recv-bitmap: STR-BAD-70
   other records in postcopy: STR-PC-33`,
);
section('stream-format.md §11', 'the smallest stream: STR-RAM-29 SM-I21');
section('stream-format.md §12', 'COLO messages: left out');
section(
  'xbzrle.md §1',
  `record: XBZ-REC-
   deltas that are written: XBZ-REC-0
   deltas that are read: XBZ-DEC-`,
);
section(
  'xbzrle.md §3',
  `cache: XBZ-CACHE-
   resizing during a migration: left out`,
);
section(
  'xbzrle.md §4',
  `statistics: XBZ-STAT-
   cache-miss-rate and encoding-rate: left out`,
);
section('multifd.md §1', `connections and their first packet: MFD-CONN- MFD-INIT-`);
section('multifd.md §2', 'packets and their flags: MFD-PKT- MFD-FLAG-01');
section('multifd.md §3', 'compression: MFD-ZIP-');
section('multifd.md §4', 'synchronisation: MFD-SYNC-01 MFD-LOAD-');
section(
  'multifd.md §5',
  `malformed packets: MFD-BAD-
   fewer or more connections: left out`,
);
section('multifd.md §6', 'cross-version: left out');
section('multifd.md §7', 'statistics: MFD-STAT-');

export const streamRows: readonly StreamRow[] = rows;
