/**
 * Releases between two dialects, as data: since which release each rule of the newer dialect holds. A rule that is not
 * listed is taken from the older dialect, and the newer dialect's is a second reading of it (see `DialectChoice.readings`).
 */

import type { MigrationRules } from './migration.js';
import {
  capabilities82,
  capabilities110,
  conflicts72,
  conflicts82,
  conflicts100,
  conflicts101,
  conflicts110,
  conflictsBetween,
} from './migration-capabilities.js';
import { parameters82, parameters102, parameters110, parameters111 } from './migration-parameters.js';
import type { ProtocolRules } from './protocol.js';
import { olderSpans } from './releases-older.js';
import type { StreamRules } from './stream.js';

/** The first release with the newer rule, as [major, minor]. */
export type Since = readonly [major: number, minor: number];
type SinceOf<Rules> = { readonly [Rule in keyof Rules]?: Since };

export interface Between {
  readonly protocol: SinceOf<ProtocolRules>;
  readonly migration: SinceOf<MigrationRules>;
  readonly stream: SinceOf<StreamRules>;
}

/** From the baseline to 7.2. What is not marked as history was found on a 5.2. */
export const towards72: Between = {
  protocol: {
    json: [3, 1],
    oobOffer: [4, 0],
    queueFull: [4, 0],
    reasonInEvents: [4, 0],
    wakeupError: [4, 0],
    schemaFeatures: [4, 1],
    schemaArguments: [6, 0],
    limitedEvents: [5, 1],
    doubles: [6, 0],
    eventNames: [6, 0],
    preconfigState: [6, 0],
    preconfigError: [6, 0],
    exitPreconfigError: [6, 0],
    enumError: [6, 0],
    noSuchNode: [6, 0],
    prettyNeedsQmp: [6, 0],
  },
  migration: {
    lateReplies: [3, 1],
    incomingFdNames: [4, 1],
    errorDesc: [4, 1],
    cancelRepeats: [5, 0],
    capabilitiesAlsoRefusedIn: [5, 0],
    parametersWrap: [6, 0],
    multifd: [4, 0],
    multifdThroughPipe: [4, 0],
    showsSocketAddress: [4, 0],
    listenerStaysOpen: [4, 0],
    quitCancels: [4, 0],
    encodingRate: [5, 1],
    compressionShown: [3, 1],
    removedCommands: [6, 0],
    migrateOnDestination: [6, 0],
    fromPostmigrate: [6, 0],
    capabilities: [5, 2],
    conflicts: [5, 2],
    parameters: [5, 2],
  },
  stream: {
    commands: [3, 1],
    postcopyResumeCommand: [3, 1],
    coloSection: [3, 1],
    sectionIds: [3, 1],
    multifd: [4, 0],
    configurationSubsections: [4, 0],
    validatedCapabilities: [4, 0],
    xbzrleCounting: [5, 1],
    vmdescriptionStyle: [6, 0],
  },
};

/** From 7.2 to 10.0. */
export const towards100: Between = {
  protocol: {
    singlestep: [9, 0],
    fdsetsNeedMonitor: [9, 1],
    dumpProtocolError: [8, 2],
    limitedEvents: [9, 0],
    transitions: [9, 0],
  },
  migration: {
    multifdThroughPipe: [8, 0],
    stoppedGuestAfterFailure: [8, 1],
    badUri: [8, 2],
    unknownScheme: [8, 2],
    incomingSetup: [8, 2],
    failedBindSticks: [9, 1],
    recoverAgain: [8, 2],
    pauseInRecover: [8, 2],
    errorDesc: [8, 2],
    downtimeInPostcopy: [8, 2],
    returnPathErrorsLate: [8, 2],
    recoverSetup: [9, 1],
    deviceAlways: [10, 0],
    ramMembers: [9, 1],
    transferredIsRam: [8, 1],
    postcopyFailureResumes: [8, 1],
    cancelInColo: [9, 0],
    migrateInColo: [9, 0],
    capabilitiesAlsoRefusedIn: [8, 2],
    coloIdleText: [8, 2],
    throttlesSlowClock: [9, 2],
    properties: [9, 1],
    cancelInterruptsConnect: [10, 0],
    cancelInPostcopyRefused: [10, 0],
    coloLostByPause: [10, 0],
    capabilities: [9, 1],
    conflicts: [9, 1],
    parameters: [9, 1],
  },
  stream: {
    compressedPages: [9, 1],
    compressedInPostcopy: [9, 1],
    blockSection: [9, 1],
    sectionIds: [9, 1],
    suspendedFlag: [9, 0],
    commands: [10, 0],
    validatedCapabilities: [9, 0],
    zeroPageAnyValue: [8, 2],
    hookIgnored: [8, 2],
    multifdBytes: [8, 1],
    lastSyncFlushes: [8, 1],
    returnPathTypes: [9, 0],
    flushRecords: [8, 1],
    vmdescriptionConfiguration: [8, 2],
    zeroDetectionOptional: [9, 0],
    multifd: [9, 0],
  },
};

/** Releases without a name among the dialects of which every rule was held against a real monitor. */
export const described: readonly Since[] = [
  [4, 2],
  [5, 2],
  [6, 2],
  [8, 2],
  [9, 2],
  [10, 1],
  [10, 2],
  [11, 0],
  [11, 1],
];

/** Rules of some releases that neither neighbour among the dialects has. */
export interface Span {
  readonly from: Since;
  /** The first release that they do not hold of any more. */
  readonly until?: Since;
  readonly protocol?: Partial<ProtocolRules>;
  readonly migration?: Partial<MigrationRules>;
  readonly stream?: Partial<StreamRules>;
}

/** In the order in which they came: the last one that holds of a release decides. */
export const spans: readonly Span[] = [
  ...olderSpans,
  {
    // What of it an 8.0 and an 8.1 have already they show themselves.
    from: [8, 0],
    until: [9, 1],
    migration: {
      capabilities: capabilities82,
      conflicts: conflictsBetween(conflicts72, conflicts82),
      parameters: parameters82,
    },
  },
  {
    from: [8, 2],
    until: [9, 0],
    migration: { needsUriText: "neither 'uri' or 'channels' argument are specified in 'migrate' qmp command " },
  },
  { from: [8, 2], until: [9, 1], migration: { conflicts: conflicts82 } },
  { from: [9, 0], until: [9, 1], migration: { conflicts: conflictsBetween(conflicts82, conflicts100) } },
  { from: [9, 0], until: [10, 0], stream: { lastSyncFlushes: false } },
  {
    from: [10, 1],
    protocol: { behindTooDeep: 'skipped' },
    migration: {
      conflicts: conflicts101,
      activeWithBytes: true,
      blocktimeOfAll: false,
      unknownAddressOptions: 'refused',
      fdMayBeFile: false,
    },
    stream: { packagePings: [3, 66] },
  },
  {
    from: [10, 2],
    protocol: { reconnectOption: 'reconnect-ms=1000' },
    migration: { parameters: parameters102, laterStatuses: ['postcopy-device'], errorInPostcopy: true },
  },
  {
    from: [11, 0],
    migration: {
      capabilities: capabilities110,
      conflicts: conflicts110,
      parameters: parameters110,
      coloNeedsReturnPath: true,
      failedSwitchover: 'guest-first',
      laterStatuses: ['postcopy-device', 'failing'],
      removedArguments: ['migrate.detach'],
    },
  },
  {
    from: [11, 1],
    migration: {
      parameters: parameters111,
      passesTold: 'iteration',
      laterMembers: ['remaining'],
      cancelInterruptsConnect: false,
    },
  },
];
