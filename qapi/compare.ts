/** What another schema changes for a client that was written against a base schema. */
import { ComparedTypes } from './compare-types.js';
import { compareFeatures, type Difference, type Sides } from './difference.js';
import type { CommandDefinition, EventDefinition, Schema } from './schema.js';

export type { Compatibility, Difference } from './difference.js';

export interface CompareOptions {
  /** Commands and events to look at, by name; all if absent. */
  readonly only?: RegExp | ReadonlySet<string>;
}

/**
 * Differences in order: commands of the base, added commands, events of the base, added events. Types are compared by
 * what they contain; their names mean nothing, and how wide integers are is compared only where both sides say so.
 */
export function compareSchemas(base: Schema, other: Schema, { only }: CompareOptions = {}): Difference[] {
  const wanted = (name: string): boolean =>
    only === undefined || (only instanceof RegExp ? name.search(only) !== -1 : only.has(name));
  const found: Difference[] = [];
  const report = (difference: Difference): void => {
    found.push(difference);
  };
  compareMaps('command', base.commands, other.commands, wanted, report, (before, after) =>
    compareCommands({ base, other, report }, before, after),
  );
  compareMaps('event', base.events, other.events, wanted, report, (before, after) =>
    compareEvents({ base, other, report }, before, after),
  );
  return found;
}

/** True if nothing in the list breaks a client. */
export const isCompatible = (differences: readonly Difference[]): boolean =>
  differences.every(({ compatible }) => compatible !== 'no');

function compareMaps<T>(
  noun: string,
  base: ReadonlyMap<string, T>,
  other: ReadonlyMap<string, T>,
  wanted: (name: string) => boolean,
  report: (difference: Difference) => void,
  compare: (before: T, after: T) => void,
): void {
  for (const [name, before] of base) {
    if (!wanted(name)) continue;
    const after = other.get(name);
    if (after === undefined) report({ path: name, kind: 'removed', text: `the ${noun} is gone`, compatible: 'no' });
    else compare(before, after);
  }
  for (const name of other.keys())
    if (wanted(name) && !base.has(name))
      report({ path: name, kind: 'added', text: `the ${noun} is new`, compatible: 'yes' });
}

function compareCommands(sides: Sides, before: CommandDefinition, after: CommandDefinition): void {
  const { name } = before;
  if (before.allowOob && !after.allowOob)
    sides.report({ path: name, kind: 'changed', text: 'out-of-band execution is no longer allowed', compatible: 'no' });
  if (!before.allowOob && after.allowOob)
    sides.report({ path: name, kind: 'changed', text: 'out-of-band execution is now allowed', compatible: 'yes' });
  compareFeatures(name, before.features, after.features, sides.report);
  new ComparedTypes(sides, 'in').objects(`${name}.arguments`, before.arguments, after.arguments);
  const results = new ComparedTypes(sides, 'out');
  if (before.returns && after.returns) results.refs(`${name}.returns`, before.returns, after.returns);
  else if (before.returns) results.lost(`${name}.returns`, before.returns);
  else if (after.returns) results.gained(`${name}.returns`, after.returns);
}

function compareEvents(sides: Sides, before: EventDefinition, after: EventDefinition): void {
  compareFeatures(before.name, before.features, after.features, sides.report);
  new ComparedTypes(sides, 'out').objects(`${before.name}.data`, before.data, after.data);
}
