import type { DialectName } from './dialect.js';
import {
  baselineCapabilities,
  baselineConflicts,
  type CapabilityConflict,
  capabilities72,
  capabilities100,
  conflicts72,
  conflicts100,
} from './migration-capabilities.js';
import { baselineParameters, type ParameterRule, parameters72, parameters100 } from './migration-parameters.js';

import { baselineProperties, type PropertyRules, properties72, properties100 } from './migration-properties.js';

export type { CapabilityConflict } from './migration-capabilities.js';
export type { ParameterRule } from './migration-parameters.js';

/** How a dialect's migration commands and state machine differ (state-machine.md §10, commands.md). */
export interface MigrationRules {
  /** Statuses that no dialect of ours has, and of which nothing can be said but that they are listed. */
  readonly laterStatuses: readonly string[];
  /** Members of `query-migrate` that no dialect of ours has, and which it may show while memory goes. */
  readonly laterMembers: readonly string[];
  /** Arguments of the baseline's commands that are gone, as `command.argument`. */
  readonly removedArguments: readonly string[];
  /** What `-global migration.NAME=VALUE` can set. */
  readonly properties: PropertyRules;
  /** Capability names in the order that `query-migrate-capabilities` lists them. */
  readonly capabilities: readonly string[];
  /** Those of them that it leaves out in this build. */
  readonly unlisted?: readonly string[];
  /** Whether the host lets a destination have what postcopy needs (MIG-CMD-SCAP-07) is not known; else it does. */
  readonly userfault?: 'perhaps';
  /** Checked in this order on the set that a call would result in. */
  readonly conflicts: readonly CapabilityConflict[];
  /** In the order of their range checks. */
  readonly parameters: readonly ParameterRule[];
  /** Integers are cut to their stored width before the range check (MIG-CMD-SPAR-05). */
  readonly parametersWrap: boolean;
  /** Commands of the baseline that this dialect no longer has. */
  readonly removedCommands: readonly string[];
  /** Name of the capability for several channels, and of the parameter with their number. */
  readonly multifd: { readonly capability: string; readonly channels: string };
  /** `migrate` over data channels to what is no socket (multifd.md): refused, or it fails once it has begun. */
  readonly multifdThroughPipe: 'refused' | 'fails';

  /** §10.1: `device` is entered in every switch-over, not only after `pre-switchover`. */
  readonly deviceAlways: boolean;
  /** Rows with no reply order of their own: the reply of cancel and continue may come after later events. */
  readonly lateReplies: boolean;
  /** `migrate` from run state postmigrate: refused with this text, or accepted. */
  readonly fromPostmigrate: string | undefined;
  /** Run state of a stopped guest after a failed or cancelled switch-over. */
  readonly stoppedGuestAfterFailure: 'postmigrate' | 'former';
  /** `events`: an unusable URI gives setup, failed and an error; `first`: the URI is checked before anything else. */
  readonly badUri: 'events' | 'first';
  /** An empty path after `unix:` is refused in the reply. */
  readonly emptyUnixPathRefused: boolean;
  readonly unknownScheme: (uri: string) => string;
  /** Refusal of a `migrate` with neither a URI nor channels, where the schema permits that. */
  readonly needsUriText: string;
  /** A guest whose clock is slowed down can be throttled. */
  readonly throttlesSlowClock: boolean;
  /** Cancel during a pending connect takes effect at once. */
  readonly cancelInterruptsConnect: boolean;
  /** Cancel in `cancelling` says `cancelling` again. */
  readonly cancelRepeats: boolean;
  /** Cancel in postcopy-active is refused with this text. Paused and recover are refused everywhere (MIG-DEF-02). */
  readonly cancelInPostcopyRefused: boolean;
  /** `quit` cancels a migration that is under way, with its event (QMP-D-44). */
  readonly quitCancels: boolean;
  readonly cancelInColo: 'ignored' | 'cancelling';
  /** `migrate` in colo: refused at once, or perhaps only after its status has become `setup`, which it stays. */
  readonly migrateInColo: 'refused' | 'stuck';
  /** `migrate` while a load goes on in whose course the guest runs: refused once its status is `setup`, which it stays. */
  readonly migrateOnDestination: 'accepted' | 'stuck';
  /** Outgoing states in which `migrate-set-capabilities` is refused, beside the running ones. */
  readonly capabilitiesAlsoRefusedIn: readonly string[];
  /** `postcopy-recover-setup` is a status of its own while a recovery connects. */
  readonly recoverSetup: boolean;
  /** `migrate-pause` also works in postcopy-recover. */
  readonly pauseInRecover: boolean;
  /** A destination that reports an error at the end of postcopy lets the source's guest run again. */
  readonly postcopyFailureResumes: boolean;
  /** Behind `pre-switchover` COLO may be passed over: the migration completes. */
  readonly coloLostByPause: boolean;
  /** COLO needs the capability `return-path`. */
  readonly coloNeedsReturnPath: boolean;
  /** 7.2 and later: the secondary's guest runs, and the end of COLO has an event. */
  readonly coloSecondaryRuns: boolean;
  readonly coloIdleText: string;

  /** `setup` on the incoming side: an event without a state, or a state like any other. */
  readonly incomingSetup: 'event' | 'state';
  /** Text of `migrate-incoming` without `-incoming defer` and, apart from it, after `-incoming URI`. */
  readonly notDeferredText: string;
  readonly startedByUriText: string;
  /** Text for `migrate-incoming` with the URI `defer`. */
  readonly incomingDeferText: string;
  /** Where `setup` is a state, a failed bind leaves it behind: every retry fails then, or each may listen, in silence. */
  readonly failedBindSticks: boolean;
  /** A recovery listener may be opened again and again; whether each says `setup`. */
  readonly recoverAgain: { readonly allowed: boolean; readonly setup: boolean };
  /** Stays listening after the first connection; extra connections are dropped. */
  readonly listenerStaysOpen: boolean;
  /** `query-migrate` of a listening destination shows `socket-address`. */
  readonly showsSocketAddress: boolean;

  /** `error-desc` in `failed` also for stream errors / in every state that has an error. */
  readonly errorDesc: 'connect' | 'stream' | 'any';
  /** A destination whose load fails between LISTEN and RUN shows the error while it is `postcopy-active` still. */
  readonly errorInPostcopy: boolean;
  /** A bad return-path message is noticed only when everything has been sent, instead of closing the channel. */
  readonly returnPathErrorsLate: boolean;
  /** Members of `ram` beyond the baseline's, and whether `skipped` still exists. */
  readonly ramMembers: 'baseline' | '4.2' | '7.2' | '10.0';
  /** The bytes of precopy, downtime and postcopy are all of `transferred`; else what goes beside RAM is counted, too. */
  readonly transferredIsRam: boolean;
  /** `encoding-rate` in `xbzrle-cache`. */
  readonly encodingRate: boolean;
  /** `postcopy-blocktime` is no more than any vCPU was blocked for; else it is counted apart from them. */
  readonly blocktimeOfAll: boolean;
  /** `compression` where the pages of RAM are compressed. */
  readonly compressionShown: boolean;
  /** `downtime` in every state of postcopy instead of `expected-downtime`. */
  readonly downtimeInPostcopy: boolean;
  readonly connectError: (address: string, reason: string) => string;
  /** `unix:` has a text with the path of its own. */
  readonly connectUnixError: (path: string, reason: string) => string;
  /** `fd:` of the incoming side knows names given by getfd. */
  readonly incomingFdNames: boolean;
  readonly protocolText: string;
  /** Which dirty syncs are told by MIGRATION_PASS: every one, or only those between two rounds of the iteration. */
  readonly passesTold: 'every' | 'iteration';
  /** A failed switch-over tells `failed` and then RESUME, or the guest runs before `failed` is told. */
  readonly failedSwitchover: 'failed-first' | 'guest-first';
  /** A destination becomes active with the first bytes of a connection, for which its monitor waits; else at once. */
  readonly activeWithBytes: boolean;
  /** Unknown options behind a `tcp:` address. */
  readonly unknownAddressOptions: 'ignored' | 'refused';
  /** `fd:` may lead to a regular file. */
  readonly fdMayBeFile: boolean;
  /** In postcopy: which of the two bandwidth parameters takes effect at once. */
  readonly livePostcopyBandwidth: 'max-bandwidth' | 'max-postcopy-bandwidth';
}

const wasPaused = "Can't migrate the vm that was paused due to previous migration";
const validProtocol = () => "Parameter 'uri' expects a valid migration protocol";

const baseline: MigrationRules = {
  laterStatuses: [],
  laterMembers: [],
  removedArguments: [],
  properties: baselineProperties,
  capabilities: baselineCapabilities,
  conflicts: baselineConflicts,
  parameters: baselineParameters,
  parametersWrap: true,
  removedCommands: [],
  multifd: { capability: 'x-multifd', channels: 'x-multifd-channels' },
  multifdThroughPipe: 'refused',
  deviceAlways: false,
  lateReplies: false,
  fromPostmigrate: undefined,
  stoppedGuestAfterFailure: 'postmigrate',
  badUri: 'events',
  emptyUnixPathRefused: false,
  unknownScheme: validProtocol,
  needsUriText: "need either 'uri' or 'channels' argument",
  throttlesSlowClock: false,
  cancelInterruptsConnect: false,
  cancelRepeats: false,
  cancelInPostcopyRefused: false,
  quitCancels: false,
  cancelInColo: 'ignored',
  migrateInColo: 'refused',
  migrateOnDestination: 'accepted',
  capabilitiesAlsoRefusedIn: [],
  recoverSetup: false,
  pauseInRecover: false,
  postcopyFailureResumes: false,
  coloLostByPause: false,
  coloNeedsReturnPath: false,
  coloSecondaryRuns: false,
  coloIdleText: "The feature 'colo' is not enabled",
  incomingSetup: 'event',
  notDeferredText: "For use with '-incoming defer'",
  startedByUriText: "For use with '-incoming defer'",
  incomingDeferText: 'Incoming migration already deferred',
  failedBindSticks: false,
  recoverAgain: { allowed: false, setup: true },
  listenerStaysOpen: false,
  showsSocketAddress: false,
  errorDesc: 'connect',
  errorInPostcopy: false,
  returnPathErrorsLate: false,
  ramMembers: 'baseline',
  transferredIsRam: true,
  encodingRate: false,
  blocktimeOfAll: true,
  compressionShown: false,
  downtimeInPostcopy: false,
  connectError: (_address, reason) => `Failed to connect socket: ${reason}`,
  connectUnixError: (path, reason) => `Failed to connect socket ${path}: ${reason}`,
  incomingFdNames: false,
  protocolText: "Parameter 'protocol' expects spice",
  passesTold: 'every',
  failedSwitchover: 'failed-first',
  activeWithBytes: false,
  unknownAddressOptions: 'ignored',
  fdMayBeFile: true,
  livePostcopyBandwidth: 'max-bandwidth',
};

const since7: MigrationRules = {
  ...baseline,
  properties: properties72,
  capabilities: capabilities72,
  conflicts: conflicts72,
  parameters: parameters72,
  parametersWrap: false,
  removedCommands: ['migrate_set_speed', 'migrate_set_downtime', 'migrate-set-cache-size', 'query-migrate-cache-size'],
  multifd: { capability: 'multifd', channels: 'multifd-channels' },
  multifdThroughPipe: 'fails',
  lateReplies: true,
  fromPostmigrate: wasPaused,
  emptyUnixPathRefused: true,
  cancelRepeats: true,
  quitCancels: true,
  capabilitiesAlsoRefusedIn: ['cancelling'],
  migrateInColo: 'stuck',
  migrateOnDestination: 'stuck',
  coloLostByPause: true,
  coloSecondaryRuns: true,
  notDeferredText: "'-incoming' was not specified on the command line",
  startedByUriText: 'The incoming migration has already been started',
  incomingDeferText: 'unknown migration protocol: defer',
  recoverAgain: { allowed: true, setup: true },
  listenerStaysOpen: true,
  showsSocketAddress: true,
  errorDesc: 'stream',
  ramMembers: '7.2',
  encodingRate: true,
  compressionShown: true,
  connectError: (address, reason) => `Failed to connect to '${address}': ${reason}`,
  connectUnixError: (path, reason) => `Failed to connect to '${path}': ${reason}`,
  incomingFdNames: true,
  protocolText: "Parameter 'protocol' expects 'spice'",
  livePostcopyBandwidth: 'max-postcopy-bandwidth',
};

export const migrationRules: Readonly<Record<DialectName, MigrationRules>> = {
  '3.0': baseline,
  '7.2': since7,
  '10.0': {
    ...since7,
    multifdThroughPipe: 'refused',
    properties: properties100,
    capabilities: capabilities100,
    conflicts: conflicts100,
    parameters: parameters100,
    deviceAlways: true,
    stoppedGuestAfterFailure: 'former',
    badUri: 'first',
    unknownScheme: (uri) => `unknown migration protocol: ${uri}`,
    throttlesSlowClock: true,
    cancelInterruptsConnect: true,
    cancelInPostcopyRefused: true,
    cancelInColo: 'cancelling',
    migrateInColo: 'refused',
    coloLostByPause: false,
    capabilitiesAlsoRefusedIn: ['cancelling', 'colo'],
    recoverSetup: true,
    pauseInRecover: true,
    postcopyFailureResumes: true,
    coloIdleText: 'VM is not in COLO mode',
    incomingSetup: 'state',
    failedBindSticks: true,
    recoverAgain: { allowed: true, setup: false },
    errorDesc: 'any',
    returnPathErrorsLate: true,
    ramMembers: '10.0',
    transferredIsRam: false,
    downtimeInPostcopy: true,
  },
};
