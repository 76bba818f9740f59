/** Planted faults of the reference monitor, by name. */
import { closest } from 'fastest-levenshtein';
import type { Fault } from './fault.js';
import { commandFaults, settingsFaults } from './in-commands.js';
import { eventFaults } from './in-events.js';
import { loadFaults, returnPathFaults } from './in-loading.js';
import { queryFaults, runStateQueryFaults } from './in-queries.js';
import { stepFaults } from './in-steps.js';
import { compressionFaults, postcopyFaults, streamFaults } from './in-stream.js';
import { multifdFaults, xbzrleFaults } from './in-xbzrle-multifd.js';
import { Planted } from './planted.js';

export { type Area, areas, type Fault, type Seam, seamOf } from './fault.js';
export { Planted } from './planted.js';

export const faults: ReadonlyMap<string, Fault> = new Map(
  [
    eventFaults,
    commandFaults,
    settingsFaults,
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
  ].flatMap((area) => Object.entries(area)),
);

/** A fault was asked for that there is not. The message says which, and which one may have been meant. */
export class UnknownFault extends Error {
  override readonly name = 'UnknownFault';
  constructor(wanted: string) {
    super(`there is no fault '${wanted}'; did you mean '${closest(wanted, [...faults.keys()])}'?`);
  }
}

/** Faults to be planted. @throws UnknownFault */
export function plant(names: Iterable<string>): Planted {
  return new Planted(
    [...names].map((name) => {
      const fault = faults.get(name);
      if (fault === undefined) throw new UnknownFault(name);
      return fault;
    }),
  );
}
