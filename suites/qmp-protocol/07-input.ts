/** qmp-protocol.md §7: JSON input. One requirement a vector, under the rule set of the target's dialect. */
import { hasDefect } from '../../oracle/release.js';
import type { Trial } from '../../oracle/trial.js';
import type { Received } from '../../protocol/message.js';
import type { Session } from '../../protocol/session.js';
import type { Chapter } from '../requirement.js';
import { ChapterBuilder } from '../requirement.js';
import { grammarVectors, lexerVectors, textVectors } from './07-syntax-vectors.js';
import { vectorTable } from './07-vector-table.js';
import type { Vector } from './vector.js';

/** True when the target's release is known for another reading of it, which it has. */
async function showsDefect(t: Trial, session: Session, { baseline, defect }: Vector): Promise<boolean> {
  if (defect === undefined || !hasDefect(t.facts, defect.id)) return false;
  const got = await session.exchange(defect.input);
  const shown =
    got.length === defect.replies.length && defect.replies.every((reply, i) => reply.test(got[i] as Received, t));
  if (shown)
    t.knownDefect(
      defect.id,
      baseline.map(({ words }) => words).join(', then '),
      got.map(({ text }) => text).join(' · '),
    );
  return shown;
}

function chapterOf(title: string, section: string, vectors: readonly Vector[]): Chapter {
  const builder = new ChapterBuilder(['QMP protocol', '7 JSON input', title], `qmp-protocol.md §${section}`);
  for (const vector of vectors) {
    builder.must(
      vector.id,
      vector.title,
      async (t) => {
        const strict = t.dialect.protocol.json === 'strict' ? vector.strict : undefined;
        const session = await t.session();
        if (await showsDefect(t, session, vector)) return;
        t.sequence(await session.exchange(vector.input), strict ?? vector.baseline);
      },
      vector.rows === undefined ? {} : { tags: vector.rows },
    );
  }
  return builder.done();
}

export const input: readonly Chapter[] = [
  chapterOf('Lexer', '7.1', lexerVectors),
  chapterOf('Grouping and parser', '7.2, §7.3', grammarVectors),
  chapterOf('Strings', '7.4', textVectors),
  chapterOf('Reply vectors', '7.6', vectorTable),
];
