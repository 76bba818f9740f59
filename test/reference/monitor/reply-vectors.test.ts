import { expect } from 'chai';
import { brief, connected } from './harness.js';
import { expand, replyVectors } from './reply-vectors.js';

describe('QMP-LEX, QMP-GRP, QMP-PARSE: replies to malformed input (§7.6)', () => {
  for (const [column, args] of [
    ['baseline', []],
    ['strict', ['--dialect', '7.2']],
  ] as const) {
    describe(column, () => {
      for (const vector of replyVectors) {
        it(`${JSON.stringify(vector.input)} gets ${vector[column].length} replies`, async () => {
          const { first, stop } = await connected({ args });
          const replies = (await first.send(vector.input)).map(brief);
          const codes = vector[column];
          expect(replies.map((reply) => (reply.startsWith('CommandNotFound') ? 'X' : reply))).to.deep.equal(
            codes.map(expand),
          );
          // One 0xFF and a line end bring every state back to a clean one (QMP-LEX-04, QMP-D-21).
          const after = (await first.send('\xff\n{"execute":"query-name","id":"fence"}')).at(-1);
          expect(after).to.deep.equal({ return: {}, id: 'fence' });
          await stop();
        });
      }
    });
  }

  it('has at least the 56 rows of the table', () => {
    expect(replyVectors.length).to.be.at.least(56);
  });
});
