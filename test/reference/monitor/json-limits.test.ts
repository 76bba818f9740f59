import { expect } from 'chai';
import { type Limits, limits } from '../../../reference/monitor/json/limits.js';
import { JsonReader } from '../../../reference/monitor/json/reader.js';

const small: Limits = { nesting: 4, tokens: 10, tokenBytes: 20 };

/** Replies as short codes: `V` a value, else the desc. */
function replies(text: string, json: 'baseline' | 'strict', bounds: Limits, cut = text.length): string[] {
  const reader = new JsonReader(json, bounds);
  const found: string[] = [];
  const bytes = Buffer.from(text, 'latin1');
  for (let from = 0; from < bytes.length; from += cut) {
    const chunk = bytes.subarray(from, from + cut);
    for (let at = 0; ; ) {
      at = reader.read(chunk, at);
      if (!reader.message) break;
      found.push(reader.message.ok ? 'V' : reader.message.desc);
    }
  }
  return found;
}

describe('QMP-LIM: limits of the JSON reader', () => {
  for (const [json, nesting, tokens, size] of [
    ['baseline', 'Invalid JSON syntax', 'Invalid JSON syntax', 'Invalid JSON syntax'],
    [
      'strict',
      'JSON nesting depth limit exceeded',
      'JSON token count limit exceeded',
      'JSON token size limit exceeded',
    ],
  ] as const) {
    for (const cut of [1, 7, 1000]) {
      it(`${json}, in pieces of ${cut}`, () => {
        const V = 'JSON parse error, expecting value';
        expect(replies('[[[[]]]] ', json, small, cut), 'QMP-LIM-01').to.deep.equal(['V']);
        expect(replies('[[[[[]]]]] ', json, small, cut), 'QMP-LIM-02').to.deep.equal([nesting, V, V, V, V, V]);
        expect(replies('[1,1,1,1] ', json, small, cut), 'QMP-LIM-04').to.deep.equal(['V']);
        expect(replies('[1,1,1,1,1] ', json, small, cut), 'QMP-LIM-04').to.deep.equal([tokens]);
        expect(replies(`"${'x'.repeat(18)}" `, json, small, cut), 'QMP-LIM-05').to.deep.equal(['V']);
        expect(replies(`"${'x'.repeat(22)} `, json, small, cut), 'QMP-LIM-05').to.deep.equal([
          size,
          "JSON parse error, invalid keyword 'xx'",
        ]);
        expect(replies('["xxxxxxxxx","xxxxxxxxx"', json, small, cut), 'QMP-LIM-05').to.deep.equal([size]);
      });
    }

    it(`QMP-LIM-06: ${json}, size alone is no fault`, () => {
      const big = `{"a":"${'x'.repeat(4 << 20)}","b":[${'1,'.repeat(2 ** 20 - 8)}1]}`;
      expect(replies(big, json, limits, 65536)).to.deep.equal(['V']);
    });
  }
});
