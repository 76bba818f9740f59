/** Whether the model permits what a target said in a trial, whatever the trial was about. */
import { isObject } from '../protocol/json.js';
import { entryValue, type Transcript } from '../protocol/transcript.js';
import type { TargetFacts } from '../targets/facts.js';
import { judgeTranscript } from './judge.js';
import { defectsOfFacts } from './release.js';
import type { DivergenceReport } from './verdict.js';

/** Where such a divergence is. */
export const wholeConversation = 'in the whole conversation, by the model';

/**
 * Only conversations in which something was migrated: in the others the model has little to say, and they are many. It knows
 * of no commands that are dropped unseen (QMP-OOB-08).
 */
function concernsIt({ entries }: Transcript): boolean {
  const told = (event: RegExp) => entries.some(({ kind, text }) => kind === 'received' && event.test(text));
  return told(/"event": *"MIGRATION"/) && !told(/"event": *"COMMAND_DROPPED"/);
}

/** A client asked the process for something in pre-switchover, which the model expects at once (QMP-BUG-09). */
function putsOff({ entries }: Transcript): boolean {
  const asked = entries.findLastIndex(({ kind, text }) => kind === 'sent' && /"(quit|system_reset)"/.test(text));
  const told = /"status": *"(\S+)"/;
  const before = entries.slice(0, asked).findLast(({ kind, text }) => kind === 'received' && told.test(text));
  return before !== undefined && /"(pre-switchover|finish-migrate)"/.test(before.text);
}

/** Milliseconds by which events may be late. */
const behind = 50;

/**
 * Whether an entry shows a status that is announced later: a monitor that tells its events from beside its commands may be
 * several of them behind, and the model knows of one (MIG-SM-E02).
 */
function runsAhead({ entries }: Transcript, entry: number): boolean {
  const reply = entries.find(({ n }) => n === entry);
  const value = reply === undefined || reply.kind !== 'received' ? undefined : entryValue(reply);
  const shown = isObject(value) && isObject(value.return) ? value.return.status : undefined;
  if (reply === undefined || typeof shown !== 'string') return false;
  const announced = (entry: (typeof entries)[number], status: (of: unknown) => boolean): boolean => {
    const event = entry.kind === 'received' && entry.at === reply.at ? entryValue(entry) : undefined;
    return isObject(event) && event.event === 'MIGRATION' && isObject(event.data) && status(event.data.status);
  };
  const at = entries.indexOf(reply);
  const before = entries.slice(0, at).findLast((entry) => announced(entry, () => true));
  // What was announced last is not ahead of anything.
  if (before === undefined || announced(before, (status) => status === shown)) return false;
  // Nobody may have listened for long enough to hear of it.
  if ((entries.at(-1)?.time ?? 0) - reply.time < behind) return true;
  return entries.slice(at).some((later) => announced(later, (status) => status === shown));
}

/**
 * The first thing that the model does not permit. Known defects of the target's release are not told here: what looks for
 * them tells of them.
 * @param served endpoints whose process had served before, and may have migrated
 */
export function unlikeTheModel(
  transcript: Transcript,
  facts: TargetFacts,
  served: ReadonlySet<string>,
): DivergenceReport | undefined {
  const defects = defectsOfFacts(facts);
  if (!concernsIt(transcript) || (defects.has('QMP-BUG-09') && putsOff(transcript))) return undefined;
  const { dialect, schema, settings, readings = [] } = facts;
  const { divergence } = judgeTranscript(transcript, {
    dialect,
    readings,
    schema,
    defects,
    served,
    ...(settings === undefined ? {} : { settings }),
  });
  if (divergence === undefined) return undefined;
  const { permitted, got, entry } = divergence;
  if (entry !== undefined && runsAhead(transcript, entry)) return undefined;
  const expected = permitted.map(({ words, rows }) => `${words} (${rows.join(', ')})`);
  return { expected, got, entry, step: wholeConversation };
}
