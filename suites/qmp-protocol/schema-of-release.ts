/** Where a target's schema contradicts what is known of its release (qmp-protocol.md §13). */
import { isDeepStrictEqual } from 'node:util';
import { compareSchemas, type Difference } from '../../qapi/compare.js';
import type { Schema } from '../../qapi/schema.js';
import { ofAnotherSystem } from '../../reference/dialects/built-without.js';
import { type DialectName, dialectNames, dialects } from '../../reference/dialects/dialect.js';
import { loadSchema } from '../../reference/schema/index.js';
import type { TargetFacts } from '../../targets/facts.js';

/** Events that only some machines have, or only what was built with the feature in question. */
const ofSomeBuilds: ReadonlySet<string> = new Set(['RTC_CHANGE', 'COLO_EXIT']);
/** Its values are the compressions that a monitor was built with. */
const ofSomeLibraries = /\.multifd-compression$/;

/**
 * Differences that no build of the release may have. What a vendor adds is its own affair; between two dialects either may
 * be right, and what a release after the newest one has taken out is not known.
 */
export function contradictions({ schema, dialect }: TargetFacts): Difference[] {
  const isOwn = isDeepStrictEqual(dialect.version, dialects[dialect.name].version);
  const around = neighbours(dialect.name, isOwn).map(loadSchema);
  const isOpen = !isOwn && around.length === 1;
  const [first = [], ...others] = around.map((known) => breaches(known, schema, isOpen));
  const absent = ofAnotherSystem(dialects[dialect.name], new Set(dialect.migration.capabilities));
  return first.filter(
    (one) =>
      others.every((list) => list.some((other) => isLike(one, other))) &&
      !(one.kind === 'removed' && absent.some((name) => one.text === `the value '${name}' is gone`)),
  );
}

function neighbours(name: DialectName, isOwn: boolean): DialectName[] {
  const at = dialectNames.indexOf(name);
  return dialectNames.slice(at, isOwn ? at + 1 : at + 2);
}

/** @param isOpen what has come or gone since is not known */
function breaches(known: Schema, schema: Schema, isOpen: boolean): Difference[] {
  const only = new Set([...known.commands.keys(), ...known.events.keys()]);
  // What does not migrate, as a storage daemon, has no guest to tell of either.
  const isMonitor = schema.commands.has('migrate');
  return compareSchemas(known, schema, { only }).filter(({ path, kind, text, compatible }) => {
    if (kind === 'changed') return !/ marked '/.test(text);
    if (isOpen) return false;
    const [command = '', part] = path.split('.');
    if (kind === 'added')
      return compatible === 'no' || (part === 'returns' && known.commands.get(command)?.returns === undefined);
    // Which commands it has, query-commands tells.
    if (part === undefined) return isMonitor && known.events.has(path) && !ofSomeBuilds.has(path);
    return !ofSomeLibraries.test(path) && !/\.x-[^.]*$/.test(path);
  });
}

/** The same is gone, or the same place has changed, whatever it was in either. */
const isLike = (one: Difference, other: Difference): boolean =>
  one.path === other.path && one.kind === other.kind && (one.kind !== 'removed' || one.text === other.text);
