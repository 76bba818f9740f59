/**
 * Releases between the baseline and 7.2, as data: what was seen of a release that neither neighbour among the dialects has, or
 * of which it is not known when exactly it came.
 */
import type { Since, Span } from './between.js';
import { type MigrationRules, migrationRules } from './migration.js';
import { capabilities42, capabilities62, conflicts42, conflicts52, conflicts62 } from './migration-capabilities.js';
import { parameters42, parameters52 } from './migration-parameters.js';
import { type ProtocolRules, protocolRules } from './protocol.js';
import { type StreamRules, streamRules } from './stream.js';

const until: Since = [7, 2];
const pick = <Rules extends object>(rules: Rules, names: readonly (keyof Rules)[]): Partial<Rules> =>
  Object.fromEntries(names.map((name) => [name, rules[name]])) as Partial<Rules>;
/** Rules of 7.2 that a release already has, and those after it. */
const already = (
  from: Since,
  names: {
    readonly protocol?: readonly (keyof ProtocolRules)[];
    readonly migration?: readonly (keyof MigrationRules)[];
    readonly stream?: readonly (keyof StreamRules)[];
  },
): Span => ({
  from,
  until,
  protocol: pick(protocolRules['7.2'], names.protocol ?? []),
  migration: pick(migrationRules['7.2'], names.migration ?? []),
  stream: pick(streamRules['7.2'], names.stream ?? []),
});

const events42 = [
  ...protocolRules['3.0'].eventNames.filter((name) => name !== 'COMMAND_DROPPED'),
  ...['COLO_EXIT', 'FAILOVER_NEGOTIATED', 'RDMA_GID_STATUS_CHANGED', 'UNPLUG_PRIMARY'],
];
const events52 = [
  ...events42,
  ...['BLOCK_EXPORT_DELETED', 'GUEST_CRASHLOADED', 'MEMORY_DEVICE_SIZE_CHANGE', 'MEMORY_FAILURE'],
];

export const olderSpans: readonly Span[] = [
  already([4, 2], {
    protocol: ['exitPreconfigResets'],
    migration: ['coloSecondaryRuns', 'transferredIsRam'],
    stream: ['multifdBytes'],
  }),
  {
    from: [4, 2],
    until,
    migration: {
      laterStatuses: ['wait-unplug'],
      capabilities: capabilities42,
      conflicts: conflicts42,
      parameters: parameters42,
      ramMembers: '4.2',
    },
  },
  { from: [4, 2], until: [6, 0], protocol: { eventNames: events42 } },
  already([5, 2], { migration: ['emptyUnixPathRefused'], stream: ['compressedInPostcopy'] }),
  { from: [5, 2], until: [6, 0], protocol: { eventNames: events52 } },
  { from: [5, 2], until, migration: { conflicts: conflicts52, parameters: parameters52 } },
  already([6, 2], {
    protocol: ['transitions', 'muxGreetings'],
    migration: [
      'properties',
      'parameters',
      'migrateInColo',
      'coloLostByPause',
      'notDeferredText',
      'startedByUriText',
      'incomingDeferText',
      'connectError',
      'connectUnixError',
      'protocolText',
      'livePostcopyBandwidth',
    ],
    stream: ['zeroInHex', 'unknownSectionHint', 'lengthMismatch', 'lenientDirtyBitmaps', 'emptyRequests'],
  }),
  { from: [6, 2], until, migration: { capabilities: capabilities62, conflicts: conflicts62 } },
];
