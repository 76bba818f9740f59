/** stream-format.md §10: what a destination does with malformed input. */
import type { Trial } from '../../oracle/trial.js';
import { ChapterBuilder } from '../requirement.js';
import { failNeeds, refusal } from './loading.js';
import { commandRows, ramRows } from './malformed-bodies.js';
import { headerRows, itemRows } from './malformed-items.js';
import type { Row } from './malformed-row.js';

const rows: readonly Row[] = [...headerRows, ...itemRows, ...ramRows, ...commandRows];

/** Rows whose streams other requirements look at as well, by what is wrong with them. */
export const wellKnown = {
  magic: '01.magic',
  version: '03.version',
  machine: '05',
  section: '12.name',
  command: '50.unknown',
  length: '31',
  item: '11.9',
  // Cut before anything, behind the header, in the memory, and before the end mark.
  cut: ['01.empty', '04.cut', '38.before', '16'],
} as const;
const shared: ReadonlySet<string> = new Set(Object.values(wellKnown).flat());

/**
 * A destination fails on the stream of the row with this id; one load of those that are well known is looked at by all.
 * @returns the story of the destination from its start
 */
export function refusesRow(t: Trial, id: string): Promise<readonly string[]> {
  const row = rows.find((one) => one.id === id);
  if (row === undefined) throw new Error(`there is no malformed stream ${id}`);
  const { write, line, cut, magic, defect } = row;
  const said = { ...(line === undefined ? {} : { lines: [line] }), ...(defect === undefined ? {} : { defect }) };
  const fails = (t: Trial) =>
    refusal(t, write, { ...(cut === true ? { cut } : {}), ...(magic === false ? { magic } : {}), ...said });
  return shared.has(id) ? t.observed(`malformed stream ${id}`, fails) : fails(t);
}

const builder = new ChapterBuilder(['Migration stream', '10 Malformed streams'], 'stream-format.md §10', failNeeds);
for (const { id, what, needs } of rows) {
  builder.must(
    `MIG-STR-BAD-${id}`,
    `${what} fails the load`,
    async (t) => void (await refusesRow(t, id)),
    needs === undefined ? {} : { needs },
  );
}

export const malformed = builder.done();
