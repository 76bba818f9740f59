/** A machine that cannot be migrated: a device, or a feature of its processor, is in the way. */
import { isObject } from '../protocol/json.js';
import { type Entry, entryValue, type Transcript } from '../protocol/transcript.js';
import type { TargetFacts } from '../targets/facts.js';
import { isOurMachine } from '../targets/machine.js';

/** What a release says of a device that has no state to send. */
const device = /^State blocked by non-migratable device/;

/**
 * Why a failure says nothing of the monitor: it has refused a migration, or shown the reason; `undefined` where it has not.
 * Nothing is in the way of the machine that is ours, whatever is shown.
 */
export function migrationBlocked({
  transcript,
  facts,
}: {
  readonly transcript: Transcript;
  readonly facts: TargetFacts;
}): string | undefined {
  if (isOurMachine(facts)) return undefined;
  const { blocked = [] } = facts;
  const reasonIn = (entry: Entry): string | undefined => {
    const value = entry.kind === 'received' ? entryValue(entry) : undefined;
    if (!isObject(value)) return undefined;
    if (blocked.length > 0 && isObject(value.return) && 'blocked-reasons' in value.return) return blocked[0];
    const desc = isObject(value.error) ? String(value.error.desc) : '';
    if (device.test(desc)) return desc;
    return blocked.find((reason) => desc.includes(reason));
  };
  for (const entry of transcript.entries) {
    const reason = reasonIn(entry);
    if (reason !== undefined) return `its migration is blocked: ${reason}`;
  }
  return undefined;
}
