/** qmp-protocol.md §7: JSON input. One requirement a vector, under the rule set of the target's dialect. */
import type { Chapter } from '../requirement.js';
import { ChapterBuilder } from '../requirement.js';
import { grammarVectors, lexerVectors, textVectors } from './07-syntax-vectors.js';
import { vectorTable } from './07-vector-table.js';
import type { Vector } from './vector.js';

function chapterOf(title: string, section: string, vectors: readonly Vector[]): Chapter {
  const builder = new ChapterBuilder(['QMP protocol', '7 JSON input', title], `qmp-protocol.md §${section}`);
  for (const vector of vectors) {
    builder.must(
      vector.id,
      vector.title,
      async (t) => {
        const strict = t.dialect.protocol.json === 'strict' ? vector.strict : undefined;
        const session = await t.session();
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
