import type { DialectName } from './dialect.js';

/** Names of the commands in the stream (stream-format.md §4). */
export type StreamCommandName =
  | 'OPEN_RETURN_PATH'
  | 'PING'
  | 'POSTCOPY_ADVISE'
  | 'POSTCOPY_LISTEN'
  | 'POSTCOPY_RUN'
  | 'POSTCOPY_RAM_DISCARD'
  | 'PACKAGED'
  | 'ENABLE_COLO'
  | 'POSTCOPY_RESUME'
  | 'RECV_BITMAP'
  | 'SWITCHOVER_START';

/** How a dialect's migration stream differs (stream-format.md, multifd.md). */
export interface StreamRules {
  /** Number of the POSTCOPY_RESUME command; RECV_BITMAP is the next one. */
  readonly postcopyResumeCommand: number;
  /** Commands by number; number 0 is invalid everywhere. */
  readonly commands: readonly (StreamCommandName | undefined)[];
  /** Configuration subsections that this dialect knows, without the `configuration/` prefix. */
  readonly configurationSubsections: readonly string[];
  /** Capabilities that the configuration carries and that must be the same on both sides. */
  readonly validatedCapabilities: readonly string[];
  /** COMPRESS_PAGE records exist. */
  readonly compressedPages: boolean;
  /** COMPRESS_PAGE records are accepted after the switch to postcopy. */
  readonly compressedInPostcopy: boolean;
  /** MULTIFD_FLUSH records exist, and are the synchronisation points of multifd instead of EOS. */
  readonly flushRecords: boolean;
  /** ZERO records with another value than 0 are accepted. */
  readonly zeroPageAnyValue: boolean;
  /** A source may be told to send all-zero pages as PAGE. */
  readonly zeroDetectionOptional: boolean;
  /** HOOK records without RDMA are ignored rather than refused. */
  readonly hookIgnored: boolean;
  /** An unreadable record header is an error of its own rather than flags of 0. */
  readonly checksRecordHeader: boolean;
  /** How printf's `%#x` shows 0 in the message on unknown record flags. */
  readonly zeroInHex: '0' | '0x0';
  /** Text after `Unknown savevm section or instance 'x' 0`. */
  readonly unknownSectionHint: string;
  /** The message on a used length that differs. */
  readonly lengthMismatch: 'Length mismatch' | 'Size mismatch';
  /** A dirty bitmap of an unknown node is dropped with a message instead of failing the load. */
  readonly lenientDirtyBitmaps: boolean;
  /** The `block` section exists. */
  readonly blockSection: boolean;
  /** `globalstate` carries the was-suspended byte after 32 bytes of name. */
  readonly suspendedFlag: boolean;
  /** Item and key separators of the vmdescription that a source writes. */
  readonly vmdescriptionStyle: 'spaced' | 'compact';
  /** The vmdescription begins with the configuration. */
  readonly vmdescriptionConfiguration: boolean;
  /** Section ids of a source with an empty machine. */
  readonly sectionIds: Readonly<Record<string, number>>;
  /** COLO is announced by a COLOState section (true) or by a command. */
  readonly coloSection: boolean;
  /** ENABLE_COLO is obeyed without the receiver's own capability. */
  readonly coloUnasked: boolean;
  /** How XBZRLE statistics count, see `XbzrleCounting`. */
  readonly xbzrleCounting: 'record' | 'payload';
  /** Failed precopy loads with an open return path answer SHUT 1. */
  readonly shutOnFailure: boolean;
  /** Prefix of the source's messages on the return path. */
  readonly returnPathPrefix: string;
  /** Highest return path message type. */
  readonly returnPathTypes: number;
  /** A page request of length 0 is accepted. */
  readonly emptyRequests: boolean;
  /** Values of the pings in a postcopy package; only the first of them is in every one. */
  readonly packagePings: readonly number[];
  /** Layout of multifd packets. */
  readonly multifd: '3.0' | '7.2' | '10.0';
  /** What `multifd-bytes` counts: packets with pages in them and the pages; every packet and the pages; all that goes out. */
  readonly multifdBytes: 'pages' | 'packets' | 'all';
  /** Where channels are synchronised at FLUSH records: the last synchronisation has one, too. */
  readonly lastSyncFlushes: boolean;
}

const commonCommands: (StreamCommandName | undefined)[] = [
  undefined,
  'OPEN_RETURN_PATH',
  'PING',
  'POSTCOPY_ADVISE',
  'POSTCOPY_LISTEN',
  'POSTCOPY_RUN',
  'POSTCOPY_RAM_DISCARD',
  'PACKAGED',
];
const laterCommands: (StreamCommandName | undefined)[] = [
  ...commonCommands,
  'ENABLE_COLO',
  'POSTCOPY_RESUME',
  'RECV_BITMAP',
];
const hotplugHint =
  '. Make sure that your current VM setup matches your saved VM setup, including any hotplugged devices';

const since7: StreamRules = {
  postcopyResumeCommand: 9,
  commands: laterCommands,
  configurationSubsections: ['target-page-bits', 'capabilities', 'uuid'],
  validatedCapabilities: ['x-ignore-shared'],
  compressedPages: true,
  compressedInPostcopy: true,
  flushRecords: false,
  zeroPageAnyValue: true,
  zeroDetectionOptional: false,
  hookIgnored: false,
  checksRecordHeader: false,
  zeroInHex: '0x0',
  unknownSectionHint: hotplugHint,
  lengthMismatch: 'Size mismatch',
  lenientDirtyBitmaps: true,
  blockSection: true,
  suspendedFlag: false,
  vmdescriptionStyle: 'compact',
  vmdescriptionConfiguration: false,
  sectionIds: { timer: 0, block: 1, ram: 2, 'dirty-bitmap': 3, globalstate: 4 },
  coloSection: false,
  coloUnasked: true,
  xbzrleCounting: 'payload',
  shutOnFailure: false,
  returnPathPrefix: 'RP: ',
  returnPathTypes: 6,
  emptyRequests: false,
  packagePings: [3],
  multifd: '7.2',
  multifdBytes: 'packets',
  lastSyncFlushes: false,
};

export const streamRules: Readonly<Record<DialectName, StreamRules>> = {
  '3.0': {
    ...since7,
    postcopyResumeCommand: 8,
    commands: [...commonCommands, 'POSTCOPY_RESUME', 'RECV_BITMAP'],
    configurationSubsections: ['target-page-bits'],
    validatedCapabilities: [],
    compressedInPostcopy: false,
    zeroInHex: '0',
    unknownSectionHint: '',
    lengthMismatch: 'Length mismatch',
    lenientDirtyBitmaps: false,
    vmdescriptionStyle: 'spaced',
    sectionIds: { timer: 0, COLOState: 1, block: 2, ram: 3, 'dirty-bitmap': 4, globalstate: 5 },
    coloSection: true,
    xbzrleCounting: 'record',
    emptyRequests: true,
    multifd: '3.0',
    multifdBytes: 'pages',
  },
  '7.2': since7,
  '10.0': {
    ...since7,
    commands: [...laterCommands, 'SWITCHOVER_START'],
    validatedCapabilities: ['x-ignore-shared', 'mapped-ram'],
    compressedPages: false,
    compressedInPostcopy: false,
    flushRecords: true,
    zeroPageAnyValue: false,
    zeroDetectionOptional: true,
    hookIgnored: true,
    checksRecordHeader: true,
    blockSection: false,
    suspendedFlag: true,
    vmdescriptionConfiguration: true,
    sectionIds: { timer: 0, ram: 1, 'dirty-bitmap': 2, globalstate: 3 },
    coloUnasked: false,
    shutOnFailure: true,
    returnPathPrefix: '',
    returnPathTypes: 7,
    multifd: '10.0',
    multifdBytes: 'all',
    lastSyncFlushes: true,
  },
};

const newest = streamRules['10.0'];

/**
 * A dialect's rules for reading a recording: what the source of any release may write is read, also where a destination of
 * this dialect would refuse it. A recording may be of a release that has no dialect of its own.
 */
export function recordingRules(rules: StreamRules): StreamRules {
  return {
    ...rules,
    commands: [...rules.commands, ...newest.commands.slice(rules.commands.length)],
    configurationSubsections: streamRules['7.2'].configurationSubsections,
    compressedPages: true,
    compressedInPostcopy: true,
    flushRecords: true,
    zeroPageAnyValue: true,
    hookIgnored: true,
    returnPathTypes: newest.returnPathTypes,
    emptyRequests: true,
  };
}
