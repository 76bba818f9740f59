import { expect } from 'chai';
import { defectOfStream, streamFault } from '../../oracle/stream-fault.js';
import { Transcript } from '../../protocol/transcript.js';

describe('a stream that no source sends', () => {
  const heard = (...facts: readonly string[]) => {
    const transcript = new Transcript({ target: 'x', dialect: '3.0' });
    for (const fact of facts) transcript.add('channel', 'channel', `connection 1: ${fact}`);
    return streamFault(transcript)?.why;
  };

  it('is told by the peer that read it, and why', () => {
    expect(heard('accepted', 'the stream has ended')).to.equal(undefined);
    expect(heard('accepted', 'the stream cannot be read: no magic', 'the stream is not as it should be: y')).to.equal(
      'no magic',
    );
    expect(heard('the stream is not as it should be: offset 7: x (stream-format §1)')).to.equal(
      'offset 7: x (stream-format §1)',
    );
  });

  it('is none of a connection whose beginning nobody read', () => {
    expect(heard('the stream cannot be read without its beginning: x')).to.equal(undefined);
  });

  it('is a known defect only of a release that has it', () => {
    const why = 'offset 4: a greeting has 01 in reserve (multifd §2)';
    expect(defectOfStream(why, new Set(['MIG-DEF-52']))).to.equal('MIG-DEF-52');
    expect(defectOfStream(why, new Set())).to.equal(undefined);
  });
});
