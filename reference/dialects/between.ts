/**
 * Releases between two dialects, as data: since which release each rule of the newer dialect holds. A rule that is not
 * listed is taken from the older dialect, and the newer dialect's is a second reading of it (see `DialectChoice.readings`).
 */

import type { MigrationRules } from './migration.js';
import { conflicts100 } from './migration-capabilities.js';
import type { ProtocolRules } from './protocol.js';
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
  },
  migration: {
    lateReplies: [3, 1],
    incomingFdNames: [4, 1],
    errorDesc: [4, 1],
    cancelRepeats: [5, 0],
    capabilitiesAlsoRefusedIn: [5, 0],
    recoverAgain: [6, 1],
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
    commands: [9, 0],
    returnPathTypes: [9, 0],
    flushRecords: [8, 1],
    vmdescriptionConfiguration: [8, 2],
    zeroDetectionOptional: [9, 0],
    multifd: [9, 0],
  },
};

/** What releases beyond 10.0 were found to do (seen on an 11.1); 10.0 itself is the second reading of them. */
export const beyond100: {
  readonly protocol: Partial<ProtocolRules>;
  readonly migration: Partial<MigrationRules>;
  readonly stream: Partial<StreamRules>;
} = {
  protocol: { behindTooDeep: 'skipped' },
  migration: {
    passesTold: 'iteration',
    failedSwitchover: 'guest-first',
    activeWithBytes: true,
    unknownAddressOptions: 'refused',
    fdMayBeFile: false,
    cancelInterruptsConnect: false,
    conflicts: [
      { on: ['x-colo'], off: ['return-path'], desc: "Capability 'x-colo' requires capability 'return-path'" },
      // Pages go over data channels until the switch to postcopy.
      ...conflicts100.filter(({ on }) => !(on.includes('postcopy-ram') && on.includes('multifd'))),
    ],
  },
  stream: { packagePings: [3, 66] },
};
