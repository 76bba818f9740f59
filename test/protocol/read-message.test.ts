import { expect } from 'chai';
import { readMessage } from '../../protocol/read-message.js';

describe('reading messages', () => {
  it('gives the value and the kind, the first time and again', () => {
    for (let time = 0; time < 2; time++) {
      expect(readMessage('{"return": {}, "id": "qs1.1"}')).to.deep.equal({
        value: { return: {}, id: 'qs1.1' },
        kind: 'success',
      });
      expect(readMessage('{"error": {"class": "GenericError", "desc": "no"}}').kind).to.equal('failure');
      expect(readMessage('{"return": 18446744073709551615}').value).to.deep.equal({ return: 18446744073709551615n });
      expect(readMessage('{"return"')).to.deep.equal({ value: undefined, kind: 'unknown' });
    }
  });

  it('gives each reply its own id, wherever that stands', () => {
    for (const id of ['qs1.1', 'qs1.2', 'qs20.345']) {
      for (const rest of ['"return": {"a": [1, "}"]}', '"error": {"class": "GenericError", "desc": "no"}']) {
        const plain = JSON.parse(`{${rest}}`) as object;
        const [front, back] = [readMessage(`{"id": "${id}", ${rest}}`), readMessage(`{${rest}, "id": "${id}"}`)];
        expect(front.value).to.deep.equal({ id, ...plain });
        expect(Object.keys(front.value as object)[0]).to.equal('id');
        expect(back.value).to.deep.equal({ ...plain, id });
        expect([front.kind, back.kind]).to.deep.equal(Array(2).fill('return' in plain ? 'success' : 'failure'));
      }
    }
  });

  it('gives each event its own time', () => {
    for (const microseconds of [0, 7, 999_999]) {
      const event = {
        timestamp: { seconds: 1_534_204_800, microseconds },
        event: 'MIGRATION',
        data: { status: 'setup' },
      };
      const text = `{"timestamp": {"seconds": 1534204800, "microseconds": ${microseconds}}, "event": "MIGRATION", "data": {"status": "setup"}}`;
      expect(readMessage(text)).to.deep.equal({ value: event, kind: 'event' });
      expect(Object.keys(readMessage(text).value as object)).to.deep.equal(['timestamp', 'event', 'data']);
    }
  });

  it('reads what only looks like a reply with an id as it is', () => {
    const odd = [
      '{"return": {}, "id": "qs1.1", "id": "qs1.2"}',
      '{"id": "qs1.1", "id": "qs1.2"}',
      '{"id": "qs1.1", "return": {}, "id": "qs1.2"}',
      '{"event": "X", "data": {"a": 1, "id": "qs1.2"}}',
      '{"return": "x, \\"id\\": \\"qs1.2\\"}"}',
      '{"return": {"a": 1, "id": "qs1.2"}',
      '{, "id": "qs1.2"}',
      '{"return": [, "id": "qs1.2"}',
      '[{"return": 1, "id": "qs1.2"}]',
      '{"x": 1, "id": "qs1.2"}',
      '{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "X", "timestamp": 3}',
      '{"timestamp": {"seconds": 1, "microseconds": 02}, "event": "X"}',
      '{"timestamp": {"seconds": 1, "microseconds": 2}, }',
      '{"timestamp": {"seconds": 1, "microseconds": 2}}',
      '{"timestamp": {"seconds": 1, "microseconds": 2}, "return": {}}',
      '{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "X"',
    ];
    for (const text of [...odd, ...odd]) {
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        value = undefined;
      }
      expect(readMessage(text).value, text).to.deep.equal(value);
    }
  });

  it('takes each character for a byte of UTF-8', () => {
    const text = Buffer.from('{"return": "größe"}').toString('latin1');
    expect(readMessage(text).value).to.deep.equal({ return: 'größe' });
    expect(readMessage(text).value).to.deep.equal({ return: 'größe' });
  });

  it('forgets in time, and reads rightly what it has forgotten', () => {
    for (let i = 0; i < 10_000; i++)
      expect(readMessage(`{"return": ${i % 5000}}`).value).to.deep.equal({ return: i % 5000 });
    const long = `{"return": "${'x'.repeat(5000)}"}`;
    expect(readMessage(long)).not.to.equal(readMessage(long));
  });
});
