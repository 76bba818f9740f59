/** Commands that a monitor threw away unread because too many waited (QMP-OOB-08): it says so, and never answers them. */
import { type JsonValue, stringifyJson } from '../protocol/json.js';
import { entryValue, type Transcript } from '../protocol/transcript.js';
import { type Observation, observe } from './tracker/observation.js';

const event = 'COMMAND_DROPPED';

/** The id of the command that an event tells to have been dropped; `undefined` when it tells of something else. */
export const droppedId = (seen: Observation): JsonValue | undefined =>
  seen.kind === 'event' && seen.event === event ? seen.data.id : undefined;

/** Whether a reply that was missed in these words is one to a command that was dropped. */
export const tellsOfDropped = ({ entries }: Transcript, words: string): boolean =>
  entries.some((entry) => {
    if (entry.kind !== 'received' || !entry.text.includes(event)) return false;
    const seen = observe(entryValue(entry), entry.n);
    const id = seen && droppedId(seen);
    return id !== undefined && words.includes(`with id ${stringifyJson(id)}`);
  });
