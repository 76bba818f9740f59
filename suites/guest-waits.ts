/** A destination in postcopy that answers nobody since its guest waits for a page. */

import { isObject } from '../protocol/json.js';
import { type Entry, entryValue, type Transcript } from '../protocol/transcript.js';
import type { TargetFacts } from '../targets/facts.js';
import { isOurMachine } from '../targets/machine.js';

const isPostcopy = (entry: Entry): boolean => {
  if (entry.kind !== 'received' || !entry.at.startsWith('destination')) return false;
  const value = entryValue(entry);
  const data = isObject(value) && value.event === 'MIGRATION' && isObject(value.data) ? value.data : {};
  return String(data.status).startsWith('postcopy-');
};

/**
 * Why nothing can be said of a destination that does not answer; `undefined` where it should. Once its guest runs, whatever
 * of the machine touches a page that has not come yet waits for it, with the lock that the monitor needs if it comes to that. A page
 * whose source has gone does not come before a recovery. Only a machine with a guest of its own is excused.
 */
export function guestWaits({
  transcript,
  facts,
}: {
  readonly transcript: Transcript;
  readonly facts: TargetFacts;
}): string | undefined {
  if (isOurMachine(facts) || !transcript.entries.some(isPostcopy)) return undefined;
  return `the guest of a ${facts.machine} waits for a page that has not come, and its monitor with it`;
}
