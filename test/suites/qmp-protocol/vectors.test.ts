import { expect } from 'chai';
import type { JsonValue } from '../../../protocol/json.js';
import type { Received } from '../../../protocol/message.js';
import { JsonReader } from '../../../reference/monitor/json/reader.js';
import { grammarVectors, lexerVectors, textVectors } from '../../../suites/qmp-protocol/07-syntax-vectors.js';
import { vectorTable } from '../../../suites/qmp-protocol/07-vector-table.js';
import { notAnObject } from '../../../suites/qmp-protocol/texts.js';

const vectors = [...vectorTable, ...lexerVectors, ...grammarVectors, ...textVectors];

const failure = (desc: string): Received => {
  const value: JsonValue = { error: { class: 'GenericError', desc } };
  return { index: 0, time: 0, kind: 'failure', value, text: JSON.stringify(value), before: '', stale: false, entry: 0 };
};

/** What the reader of the reference makes of the bytes: an error text, or undefined for an object. */
function read(rules: 'baseline' | 'strict', input: string): (string | undefined)[] {
  const reader = new JsonReader(rules);
  const bytes = Buffer.from(input, 'latin1');
  const found: (string | undefined)[] = [];
  for (let at = 0; ; ) {
    at = reader.read(bytes, at);
    const { message } = reader;
    if (message === undefined) return found;
    if (!message.ok) found.push(message.desc);
    else found.push(message.value instanceof Map ? undefined : notAnObject);
  }
}

describe('reply vectors', () => {
  for (const rules of ['baseline', 'strict'] as const) {
    it(`agree with the JSON reader of the reference under the ${rules} rules`, () => {
      for (const vector of vectors) {
        const patterns = rules === 'strict' ? (vector.strict ?? vector.baseline) : vector.baseline;
        const found = read(rules, vector.input);
        expect(found.length, `${vector.id}: replies to ${JSON.stringify(vector.input)}`).to.equal(patterns.length);
        for (const [i, desc] of found.entries()) {
          if (desc === undefined) continue;
          const holds = patterns[i]?.test(failure(desc), { strictDesc: true });
          expect(holds, `${vector.id}, reply ${i + 1}: ${desc}, not ${patterns[i]?.words}`).to.equal(true);
        }
      }
    });
  }
});
