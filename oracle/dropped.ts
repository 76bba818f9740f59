/** Commands that a monitor threw away unread because too many waited (QMP-OOB-08): it says so, and never answers them. */
import { isObject, type JsonValue, stringifyJson } from '../protocol/json.js';
import { entryValue, type Transcript } from '../protocol/transcript.js';
import type { Observation } from './tracker/observation.js';

const event = 'COMMAND_DROPPED';

/** The id of the command that an event tells to have been dropped; `undefined` when it tells of something else. */
export const droppedId = (seen: Observation): JsonValue | undefined =>
  seen.kind === 'event' && seen.event === event && isObject(seen.data) ? seen.data.id : undefined;

/** Whether a reply that was missed in these words is one to a command that was dropped. */
export const tellsOfDropped = ({ entries }: Transcript, words: string): boolean =>
  entries.some((entry) => {
    if (entry.kind !== 'received' || !entry.text.includes(event)) return false;
    const value = entryValue(entry);
    const id = isObject(value) && isObject(value.data) ? value.data.id : undefined;
    return id !== undefined && words.includes(`with id ${stringifyJson(id)}`);
  });
