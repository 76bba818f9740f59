import { expect } from 'chai';
import { formSymptoms } from '../../campaign/form.js';
import { Transcript } from '../../protocol/transcript.js';

const greeting =
  '{"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 7}, "package": ""}, "capabilities": ["oob"]}}';
const now = Math.floor(Date.now() / 1000);
const event = (more: string, timestamp = `{"seconds": ${now}, "microseconds": 5}`) =>
  `{"timestamp": ${timestamp}, "event": "STOP"${more}}`;

function told(received: readonly string[], { start = '{}', before }: { start?: string; before?: string } = {}) {
  const transcript = new Transcript();
  transcript.add('source', 'started', start);
  for (const text of received) transcript.add('source', 'received', text, before === undefined ? {} : { before });
  return formSymptoms(transcript).map(({ rows: [row] }) => row);
}

describe('the form of messages', () => {
  it('is right in what monitors write', () => {
    const usual = [greeting, '{"return": {}}', '{"error": {"class": "GenericError", "desc": "x"}, "id": 1}', event('')];
    expect(told(usual)).to.deep.equal([]);
    expect(told([event(', "data": {"guest": false}')])).to.deep.equal([]);
    expect(told([event('', '{"seconds": -1, "microseconds": -1}')])).to.deep.equal([]);
    expect(told(['{"return": [{"a": {"a": "\\",\\"a\\":1"}}, {"a": 1}], "id": "a"}'])).to.deep.equal([]);
    expect(told([greeting.replace(/\{"qemu".*\}, "cap/, '{"mine": 1}, "cap')])).to.deep.equal([]);
  });

  for (const [what, row, received] of [
    ['two returns', 'QMP-REPLY-01', ['{"return": [], "return": {}}']],
    ['a member of the result twice', 'QMP-REPLY-01', ['{"return": {"a": {"b": 1}, "c": [{"a": 1}], "a": {"b": 1}}}']],
    ['two names', 'QMP-EVT-01', [event(', "event": "STOP"')]],
    ['a second greeting', 'QMP-GREET-01', [greeting, greeting]],
    ['a member beside QMP', 'QMP-GREET-02', [greeting.replace(/\}$/, ', "id": 0}')]],
    ['a version in text', 'QMP-GREET-03', [greeting.replace('"micro": 0', '"micro": "0"')]],
    ['capabilities that are numbers', 'QMP-GREET-04', [greeting.replace('"oob"', '1')]],
    ['return beside error', 'QMP-REPLY-03', ['{"return": {}, "error": {"class": "GenericError", "desc": "x"}}']],
    ['an empty desc', 'QMP-REPLY-03', ['{"error": {"class": "GenericError", "desc": ""}}']],
    ['data in an error', 'QMP-REPLY-03', ['{"error": {"class": "GenericError", "desc": "x", "data": {}}}']],
    ['a time in a reply', 'QMP-REPLY-01', ['{"return": {}, "timestamp": {"seconds": 1, "microseconds": 1}}']],
    ['an id in an event', 'QMP-EVT-01', [event(', "id": 1')]],
    ['empty data', 'QMP-EVT-01', [event(', "data": {}')]],
    ['an event without a time', 'QMP-EVT-02', ['{"event": "STOP"}']],
    ['a time in milliseconds', 'QMP-EVT-02', [event('', `{"seconds": ${now * 1000}, "microseconds": 1}`)]],
    ['too many microseconds', 'QMP-EVT-02', [event('', `{"seconds": ${now}, "microseconds": 1000000}`)]],
    ['two lines', 'QMP-TRANS-06', ['{"return":\r\n{}}']],
    ['letters as they are', 'QMP-OUT-01', ['{"return": {}, "id": "\xc3\xa9"}']],
  ] as const) {
    it(`is wrong with ${what}`, () => expect(told(received)).to.deep.equal([row]));
  }

  it('is wrong with another line end, and may be indented where that was asked for', () => {
    expect(told(['{"return": {}}'], { before: '\n' })).to.deep.equal(['QMP-TRANS-05']);
    expect(told(['{\r\n}'], { start: '{"monitors":[{"transport":"unix","pretty":true}]}' })).to.deep.equal([]);
  });
});
