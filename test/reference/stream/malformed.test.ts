import { expect } from 'chai';
import { load } from './builder.js';
import { sections, stream } from './malformed-items.js';
import { ram } from './malformed-memory.js';
import { fragments, seeded } from './recordings.js';
import type { Row } from './stream-rows.js';

const groups: Record<string, readonly Row[]> = { 'header and items': stream, sections, ram };

describe('malformed streams (stream-format.md §10)', () => {
  for (const [group, rows] of Object.entries(groups)) {
    describe(group, () => {
      for (const row of rows) {
        it(row.name, () => {
          for (const dialect of row.dialects ?? (['3.0', '7.2', '10.0'] as const)) {
            const bytes = row.bytes(dialect);
            const expected = {
              lines: typeof row.lines === 'function' ? row.lines(dialect) : row.lines,
              reason: typeof row.reason === 'function' ? row.reason(dialect) : row.reason,
            };
            const random = seeded(bytes.length);
            const splits = [undefined, () => 1, () => 1 + Math.floor(random() * 30)];
            for (const next of splits) {
              const pieces = next === undefined ? {} : { pieces: (all: Buffer) => fragments(all, next) };
              const { lines, reason } = load(dialect, bytes, { ...row.options, ...pieces });
              expect({ lines, reason }, dialect).to.deep.equal(expected);
            }
          }
        });
      }
    });
  }
});
