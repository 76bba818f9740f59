import { expect } from 'chai';
import { tellsOfDropped } from '../../../oracle/dropped.js';
import { judgeTranscript } from '../../../oracle/judge.js';
import { dialects } from '../../../reference/dialects/dialect.js';
import { loadSchema } from '../../../reference/schema/index.js';
import { Script } from './script.js';

const script = (...lines: readonly string[]) => new Script({}, true).lines(...lines).transcript;
const judged = (...lines: readonly string[]): string =>
  judgeTranscript(script(...lines), { dialect: dialects['3.0'], schema: loadSchema('3.0') }).kind;

const status = (running: boolean): string =>
  `< {"running":${running},"singlestep":false,"status":"${running ? 'running' : 'paused'}"}`;
/** A monitor throws the second of two commands away, whose guest ran, and answers the first and what comes later. */
const thrownAway = ['> query-status', '> stop', 'dropped', status(true), '> query-status'];

describe('a command that a monitor throws away (QMP-OOB-08)', () => {
  it('is not awaited, and has not been carried out', () => {
    expect(judged(...thrownAway, status(true))).to.equal('conforms');
    expect(judged(...thrownAway, status(false))).to.equal('divergence');
    expect(judged(...thrownAway, 'S', status(false))).to.equal('divergence');
  });

  it('is awaited all the same where nothing says that it was thrown away', () => {
    const untold = thrownAway.filter((line) => line !== 'dropped');
    expect(judged(...untold, status(true))).to.equal('divergence');
  });

  it('was not carried out before', () => {
    expect(judged('> stop', 'S', '< {}', '> cont', 'dropped', 'R', '< {}')).to.equal('divergence');
  });

  it('can be told from one whose reply is missing', () => {
    const transcript = script(...thrownAway);
    expect(tellsOfDropped(transcript, 'no reply to stop with id 3 within 5000 ms')).to.equal(true);
    expect(tellsOfDropped(transcript, 'no reply to query-status with id 4 within 5000 ms')).to.equal(false);
  });
});
