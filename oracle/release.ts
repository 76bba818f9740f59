/** What a greeting says of the release: by it the dialect and the known defects are chosen. */
import { isObject, type JsonValue } from '../protocol/json.js';
import { type Entry, entryValue } from '../protocol/transcript.js';
import {
  asListed,
  type BuildPart,
  buildParts,
  builtWithout,
  withoutKnowingTheHost,
} from '../reference/dialects/built-without.js';
import { type Dialect, dialectFor, dialects } from '../reference/dialects/dialect.js';
import type { TargetFacts } from '../targets/facts.js';
import { defectsOf } from './known-defects.js';

export interface Release {
  readonly major: number;
  readonly minor: number;
}

/** The release in a greeting of QEMU; `undefined` for other products and for what is no greeting. */
export function releaseOf(greeting: JsonValue | undefined): Release | undefined {
  const qmp = isObject(greeting) && isObject(greeting.QMP) ? greeting.QMP : {};
  const version = isObject(qmp.version) && isObject(qmp.version.qemu) ? qmp.version.qemu : {};
  const { major, minor } = version;
  return typeof major === 'number' && typeof minor === 'number' ? { major, minor } : undefined;
}

/** The first release that a transcript's greetings name. */
export function releaseIn(entries: readonly Entry[]): Release | undefined {
  for (const entry of entries) {
    const release = entry.kind === 'received' ? releaseOf(entryValue(entry)) : undefined;
    if (release !== undefined) return release;
  }
  return undefined;
}

/** How a release is judged; without one, as the baseline. */
export function judgedAs(release: Release | undefined): {
  readonly dialect: Dialect;
  readonly readings: readonly Dialect[];
  readonly defects: ReadonlySet<string>;
} {
  if (release === undefined) return { dialect: dialects['3.0'], readings: [], defects: new Set() };
  const { dialect, readings } = dialectFor(release);
  return { dialect, readings, defects: defectsOf(release) };
}

/** What the errors of a conversation say to be missing from the build. */
export function partsLackingIn(entries: readonly Entry[]): readonly BuildPart[] {
  const descs = new Set(
    entries.flatMap((entry) => {
      const value =
        entry.kind === 'received' && /compiled without|host kernel/.test(entry.text) ? entryValue(entry) : undefined;
      const desc = isObject(value) && isObject(value.error) ? value.error.desc : undefined;
      return typeof desc === 'string' ? [desc] : [];
    }),
  );
  return buildParts.flatMap((part) => {
    const desc = [...descs].find((one) => part.refusal.test(one));
    return desc === undefined ? [] : [{ ...part, desc }];
  });
}

/** The build that a conversation shows: by the capabilities that are listed first, and by what is refused for want of a part. */
export function asBuiltIn(entries: readonly Entry[], dialect: Dialect): Dialect {
  const listed = firstCapabilities(entries);
  const own = listed === undefined ? dialect : asListed(dialect, listed);
  const told = partsLackingIn(entries).filter(({ desc }) => !own.migration.conflicts.some((one) => one.desc === desc));
  return withoutKnowingTheHost(told.length === 0 ? own : builtWithout(own, told));
}

function firstCapabilities(entries: readonly Entry[]): ReadonlySet<string> | undefined {
  for (const entry of entries) {
    if (entry.kind !== 'received' || !entry.text.includes('"capability"')) continue;
    const listed = capabilityNames(entryValue(entry));
    if (listed !== undefined) return listed;
  }
  return undefined;
}

/** Names in a reply of `query-migrate-capabilities`; `undefined` for other messages. */
export function capabilityNames(reply: JsonValue | undefined): ReadonlySet<string> | undefined {
  const list = isObject(reply) && Array.isArray(reply.return) ? reply.return : [];
  const names = list.map((one) => (isObject(one) && typeof one.state === 'boolean' ? one.capability : undefined));
  return names.length > 0 && names.every((name) => typeof name === 'string') ? new Set(names) : undefined;
}

/** Whether the target's release is known for a defect. */
export const hasDefect = (facts: TargetFacts, id: string): boolean => defectsOfFacts(facts).has(id);

/** Ids of the defects that the release of a target is known to have. */
export function defectsOfFacts({ product, version }: TargetFacts): ReadonlySet<string> {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  if (product !== 'qemu' || major === undefined) return new Set();
  return defectsOf({ major: Number(major), minor: Number(minor) });
}
