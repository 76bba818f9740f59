/** What monitors of some releases make of a brace too many in a list (QMP-BUG-08), and of a number without end (QMP-BUG-05). */
import { expect } from 'chai';
import { withOddInput } from '../../campaign/odd-input.js';
import type { Symptom } from '../../campaign/symptom.js';
import { defectsOf } from '../../oracle/known-defects.js';
import { Transcript } from '../../protocol/transcript.js';

const symptom = (kind: Symptom['kind'], entry?: number, subject = 'success of query-version'): Symptom => ({
  kind,
  subject,
  rows: [],
  state: '',
  expected: [],
  got: '',
  ...(entry === undefined ? {} : { entry }),
});

/** What such a symptom of a release is told as, after a command with this text before it and this reply. */
function told(major: number, one: Symptom, sent: readonly string[], reply = '{"return": {}}'): string | undefined {
  const transcript = new Transcript();
  transcript.add('source', 'connected', 'unix:somewhere');
  for (const text of sent) transcript.add('source', 'sent', text);
  transcript.add('source', 'received', reply);
  return withOddInput([one], transcript, defectsOf({ major, minor: 2 }))[0]?.defect;
}

describe('odd input', () => {
  it('is what a brace too many in a list keeps from being answered', () => {
    for (const sent of [['[}\n'], ['[', '}{"execute":"query-name"}\n'], ['{"id":[1,2}}\n']]) {
      expect(told(4, symptom('divergence', sent.length + 1), sent)).to.equal('QMP-BUG-08');
      expect(told(4, symptom('hang', undefined, 'no reply to fence'), sent)).to.equal('QMP-BUG-08');
      expect(told(4, symptom('crash', sent.length + 1), sent)).to.equal(undefined);
      // Later releases are free of it.
      expect(told(7, symptom('divergence', sent.length + 1), sent)).to.equal(undefined);
    }
    expect(told(4, symptom('divergence', 0), ['[}\n'])).to.equal(undefined);
  });

  it('is nothing that well-formed commands bring about', () => {
    for (const text of ['{"id":[]}', '{"id":[{"a":[1]}]}', '{"arguments":{"capabilities":[{"state":true}]}}'])
      expect(told(4, symptom('divergence', 2), [`${text}\n`]), text).to.equal(undefined);
  });

  it('is a number that comes back as none', () => {
    const reply = '{"return": {}, "id": [[-1, inf], {}]}';
    expect(told(4, symptom('garbage', 2), ['{}\n'], reply)).to.equal('QMP-BUG-05');
    expect(told(4, symptom('divergence', 3), ['{}\n'], reply)).to.equal('QMP-BUG-05');
    expect(told(4, symptom('garbage', 3), ['{}\n'], reply)).to.equal(undefined);
    expect(told(4, symptom('garbage', 2), ['{}\n'], '{"return": {"name": "inf"}')).to.equal(undefined);
  });
});
