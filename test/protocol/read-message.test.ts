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
