/** stream-format.md §10: what a destination does with malformed input. */
import { ChapterBuilder } from '../requirement.js';
import { failNeeds, refuses } from './loading.js';
import { commandRows, ramRows } from './malformed-bodies.js';
import { headerRows, itemRows } from './malformed-items.js';

const builder = new ChapterBuilder(['Migration stream', '10 Malformed streams'], 'stream-format.md §10', failNeeds);
for (const { id, what, write, line, cut, magic, needs, defect } of [
  ...headerRows,
  ...itemRows,
  ...ramRows,
  ...commandRows,
]) {
  builder.must(
    `MIG-STR-BAD-${id}`,
    `${what} fails the load`,
    (t) => {
      const said = { ...(line === undefined ? {} : { lines: [line] }), ...(defect === undefined ? {} : { defect }) };
      return refuses(t, write, { ...(cut === true ? { cut } : {}), ...(magic === false ? { magic } : {}), ...said });
    },
    needs === undefined ? {} : { needs },
  );
}

export const malformed = builder.done();
