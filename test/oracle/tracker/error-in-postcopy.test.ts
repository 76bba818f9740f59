/** A destination that gives up a postcopy before its guest runs, and says why while it is `postcopy-active` still. */
import { expect } from 'chai';
import { judgeTranscript } from '../../../oracle/judge.js';
import { dialectFor } from '../../../reference/dialects/dialect.js';
import { loadSchema } from '../../../reference/schema/index.js';
import { Script } from './script.js';

const shown = (status: string) => `< {"status":"${status}","error-desc":"the channel is gone"}`;

/** What a release is found to be that shows this, by every reading of it. */
function kindOf(minor: number, ...lines: readonly string[]): string {
  const { dialect, readings } = dialectFor({ major: 10, minor });
  const { transcript } = new Script({ incoming: 'unix:/x', extra: ['-global', 'migration.x-postcopy-ram=on'] }).lines(
    ...lines,
  );
  return judgeTranscript(transcript, { dialect, readings, schema: loadSchema('10.0') }).kind;
}

describe('an error of a destination in postcopy', () => {
  it('is shown before it ends, by releases from 10.2 on', () => {
    expect(kindOf(2, '> query-migrate', shown('postcopy-active'), 'exit 1')).to.equal('conforms');
    expect(kindOf(2, '> query-migrate', 'R', shown('postcopy-active'), 'exit 1')).to.equal('conforms');
    expect(kindOf(1, '> query-migrate', shown('postcopy-active'), 'exit 1')).to.equal('divergence');
    expect(kindOf(0, '> query-migrate', shown('postcopy-active'), 'exit 1')).to.equal('divergence');
  });

  it('is shown where there is none by nobody', () => {
    expect(kindOf(2, '> query-migrate', shown('active'))).to.equal('divergence');
    expect(
      kindOf(2, '> query-migrate', shown('postcopy-active'), '> query-migrate', '< {"status":"completed"}'),
    ).to.equal('divergence');
  });
});
