/** Planted faults of the reference monitor, by name. */
import { closest } from 'fastest-levenshtein';
import type { Changes, Fault } from './fault.js';
import { commandFaults, settingsFaults } from './in-commands.js';
import { detailsOfEvents, detailsOfReplies, detailsOfSettings } from './in-details.js';
import { eachCommand } from './in-each-command.js';
import { eachCapability, eachParameter } from './in-each-setting.js';
import { eventFaults } from './in-events.js';
import { faultsOfFigures } from './in-figures.js';
import { loadFaults, returnPathFaults } from './in-loading.js';
import { queryFaults, runStateQueryFaults } from './in-queries.js';
import { detailsOfQueries, detailsOfRunState } from './in-query-details.js';
import { replyFaults } from './in-replies.js';
import { schemaFaults } from './in-schema.js';
import { stepFaults } from './in-steps.js';
import { compressionFaults, postcopyFaults, streamFaults } from './in-stream.js';
import { monitorFaults, oobFaults, talkFaults } from './in-talk.js';
import { multifdFaults, xbzrleFaults } from './in-xbzrle-multifd.js';
import { Planted } from './planted.js';
import { type Variation, variations } from './variations.js';

export { type Area, areas, type Fault, type Seam, seamOf } from './fault.js';
export { Planted } from './planted.js';
export { type Variation, variations } from './variations.js';

export const faults: ReadonlyMap<string, Fault> = new Map(
  [
    talkFaults,
    replyFaults,
    oobFaults,
    schemaFaults,
    monitorFaults,
    eventFaults,
    commandFaults,
    eachCommand,
    settingsFaults,
    eachParameter,
    eachCapability,
    queryFaults,
    runStateQueryFaults,
    stepFaults,
    streamFaults,
    compressionFaults,
    postcopyFaults,
    xbzrleFaults,
    multifdFaults,
    loadFaults,
    returnPathFaults,
    detailsOfEvents,
    detailsOfReplies,
    detailsOfSettings,
    detailsOfQueries,
    detailsOfRunState,
    faultsOfFigures,
  ].flatMap((area) => Object.entries(area)),
);

/** A fault or a variation was asked for that there is not. The message says which, and which one may have been meant. */
export class UnknownFault extends Error {
  override readonly name = 'UnknownFault';
  constructor(
    wanted: string,
    readonly kind: 'fault' | 'variation',
  ) {
    const known = kind === 'fault' ? faults : variations;
    super(`there is no ${kind} '${wanted}'; did you mean '${closest(wanted, [...known.keys()])}'?`);
  }
}

/** Faults and variations to be planted. @throws UnknownFault */
export function plant(names: Iterable<string>, varied: Iterable<string> = []): Planted {
  const found = <T>(known: ReadonlyMap<string, T>, name: string, kind: 'fault' | 'variation'): T => {
    const one = known.get(name);
    if (one === undefined) throw new UnknownFault(name, kind);
    return one;
  };
  const planted: Changes[] = [...names].map((name) => found(faults, name, 'fault'));
  const benign: Changes[] = [...varied].map((name) => found<Variation>(variations, name, 'variation'));
  return new Planted([...planted, ...benign]);
}
