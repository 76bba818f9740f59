/** Whether the model permits what a target said in a trial, whatever the trial was about. */
import type { Transcript } from '../protocol/transcript.js';
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
  if (!concernsIt(transcript)) return undefined;
  const { dialect, schema, settings, readings = [] } = facts;
  const defects = defectsOfFacts(facts);
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
  const expected = permitted.map(({ words, rows }) => `${words} (${rows.join(', ')})`);
  return { expected, got, entry, step: wholeConversation };
}
