import { expect } from 'chai';
import { speedSymptoms } from '../../campaign/told-speed.js';
import { Transcript } from '../../protocol/transcript.js';

/** Looks at a migration that goes on: milliseconds since its setup, bytes that were sent, megabits a second. */
function told(looks: readonly (readonly [running: number, transferred: number, mbps: number])[], between?: string) {
  const transcript = new Transcript();
  for (const [n, [running, transferred, mbps]] of looks.entries()) {
    if (n > 0 && between !== undefined) transcript.add('source', 'sent', `{"execute":"${between}","id":"qs1.1"}\n`);
    transcript.add('source', 'sent', '{"execute":"query-migrate","id":"qs1.2"}\n');
    const info = {
      status: 'active',
      'setup-time': 3,
      'total-time': 3 + running,
      ram: { transferred, mbps },
    };
    transcript.add('source', 'received', JSON.stringify({ return: info, id: 'qs1.2' }));
  }
  return speedSymptoms(transcript).map(({ rows: [row] }) => row);
}

describe('the speed of a migration that goes on', () => {
  // 1 MB in the first tenth of a second is 80 Mbit/s.
  it('is that of what was sent in the first window', () => {
    expect(
      told([
        [50, 5e5, 0],
        [105, 1.05e6, 80],
      ]),
    ).to.deep.equal([]);
    expect(
      told([
        [90, 9e5, 0],
        [105, 1.05e6, 10],
      ]),
    ).to.deep.equal(['MIG-CMD-QMIG-03']);
  });

  it('is not held against it where a second window may have ended, or something else was done', () => {
    expect(
      told([
        [90, 9e5, 0],
        [205, 1e6, 10],
      ]),
    ).to.deep.equal([]);
    expect(
      told(
        [
          [90, 9e5, 0],
          [105, 1e6, 10],
        ],
        'migrate',
      ),
    ).to.deep.equal([]);
    expect(told([[105, 1e6, 10]])).to.deep.equal([]);
    expect(
      told([
        [10, 1e4, 0],
        [105, 1e6, 10],
      ]),
    ).to.deep.equal([]);
  });
});
