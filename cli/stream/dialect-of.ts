/** The dialect of a recording, found out from its bytes. */
import type { DialectName } from '../../reference/dialects/dialect.js';
import { streamRules } from '../../reference/dialects/stream.js';

/** What told the dialect. */
export type DialectFrom = 'option' | 'description' | 'machine' | 'section' | 'command' | 'default';

export interface FoundDialect {
  readonly dialect: DialectName;
  readonly from: DialectFrom;
}

/** Machines are named after the release that they behave like, and no source is older than its machine. */
const machineReleases: readonly (readonly [major: number, minor: number, dialect: DialectName])[] = [
  [8, 2, '10.0'],
  [3, 1, '7.2'],
  [0, 0, '3.0'],
];

/**
 * @param first the first bytes, as many as have come
 * @param description the vmdescription, where the input has an end that can be looked at
 * @param before the dialect of the connection that this one recovers
 */
export function dialectOf(
  first: Buffer,
  description: string | undefined,
  before: DialectName | undefined,
): FoundDialect {
  if (description?.startsWith('{"configuration"') === true) return { dialect: '10.0', from: 'description' };
  if (description !== undefined && !description.startsWith('{ ')) return { dialect: '7.2', from: 'description' };
  if (first.toString('latin1', 0, 4) !== 'QEVM' && first[0] === 8) return byCommand(first, before);
  // Releases from 3.1 to 5.2 write the description as the baseline does, but the stream as later ones do.
  const found = byMachine(first) ?? bySection(first);
  if (description === undefined) return found ?? { dialect: '7.2', from: 'default' };
  if (found !== undefined && found.dialect !== '3.0') return { ...found, dialect: '7.2' };
  return { dialect: '3.0', from: 'description' };
}

/** A recovery begins with RECV_BITMAP, whose number has changed (stream-format.md §4). */
function byCommand(first: Buffer, before: DialectName | undefined): FoundDialect {
  if (first.length >= 3 && first.readUInt16BE(1) === streamRules['3.0'].commands.indexOf('RECV_BITMAP')) {
    return { dialect: '3.0', from: 'command' };
  }
  return { dialect: before === undefined || before === '3.0' ? '7.2' : before, from: 'command' };
}

function byMachine(first: Buffer): FoundDialect | undefined {
  if (first[8] !== 7 || first.length < 13) return undefined;
  const name = first.toString('latin1', 13, 13 + Math.min(first.readUInt32BE(9), 256));
  const version = /-(\d+)\.(\d+)$/.exec(name);
  if (version === null) return undefined;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  const release = machineReleases.find(([from, minimum]) => major > from || (major === from && minor >= minimum));
  // An old machine may run in a new release.
  return release === undefined || release[2] === '3.0' ? undefined : { dialect: release[2], from: 'machine' };
}

/** The number of the RAM section of a machine without devices tells how many sections come before it. */
function bySection(first: Buffer): FoundDialect | undefined {
  const at = first.indexOf('\u0003ram\0\0\0\0\0\0\0\u0004', 'latin1');
  const none = first.toString('latin1', 9, 17) === '\0\0\0\u0004none';
  if (at < 5 || !none) return undefined;
  const id = first.readUInt32BE(at - 4);
  for (const dialect of ['3.0', '7.2', '10.0'] as const) {
    if (streamRules[dialect].sectionIds.ram === id) return { dialect, from: 'section' };
  }
  return undefined;
}
