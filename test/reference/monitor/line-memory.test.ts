import { expect } from 'chai';
import { limits } from '../../../reference/monitor/json/limits.js';
import { JsonReader } from '../../../reference/monitor/json/reader.js';
import type { Message } from '../../../reference/monitor/json/value.js';

const rules = ['baseline', 'strict'] as const;

/** The messages of a text, read by a reader that knows nothing of earlier ones. */
function afresh(json: (typeof rules)[number], text: string): Message[] {
  return messagesOf(new JsonReader(json, { ...limits }), text);
}

function messagesOf(reader: JsonReader, text: string): Message[] {
  const messages: Message[] = [];
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; ) {
    at = reader.read(bytes, at);
    if (reader.message !== undefined) messages.push(reader.message);
  }
  return messages;
}

const lines = [
  '{"execute":"query-status","id":1}\n',
  '{"execute":"query-status","id":1.0}\n',
  '  {"a":[1,2,{"b":"\\u00fc"}]}  \r\n',
  '{"a":1}{"b":2}\n',
  '{"a":1,"a":2}\n',
  "{'a':1}\n",
  '{"a":}\n',
  '{"a":1} x\n',
  '{"a\n',
  '}\n',
  '12\n',
  'true\n',
  '\xff{"a":1}\n',
];

describe('the memory of lines', () => {
  for (const json of rules) {
    it(`makes no difference to what is read (${json})`, () => {
      for (const before of lines) {
        for (const text of lines) {
          const reader = new JsonReader(json);
          const expected = afresh(json, before + text);
          expect([...messagesOf(reader, before), ...messagesOf(reader, text)], before + text).to.deep.equal(expected);
        }
      }
    });
  }

  it('recalls a line that was read, where the reader is between two messages', () => {
    const [line] = lines as [string];
    const first = new JsonReader('strict');
    const [message] = messagesOf(first, line);
    expect(new JsonReader('strict').recall(line)).to.equal(message);
    expect(new JsonReader('strict', { ...limits, nesting: 1 }).recall(line)).to.equal(undefined);
    const within = new JsonReader('strict');
    within.read(Buffer.from('{"a":'), 0);
    expect(within.recall(line)).to.equal(undefined);
  });

  it('recalls no line with more behind its message', () => {
    const text = '{"a":1}{"b":2}\n';
    messagesOf(new JsonReader('strict'), text);
    expect(new JsonReader('strict').recall(text)).to.equal(undefined);
  });
});
