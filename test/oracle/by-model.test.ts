import { expect } from 'chai';
import { unlikeTheModel } from '../../oracle/by-model.js';
import { baselineFacts } from './scripted-target.js';
import { begun, capabilityOn, eventsOn, migrateTo, Script } from './tracker/script.js';

/** What the model does not permit in such a conversation. */
const refused = (lines: readonly string[], served: readonly string[] = []) =>
  unlikeTheModel(new Script().lines(...lines).transcript, baselineFacts, new Set(served));

describe('a conversation of a trial, by the model', () => {
  it('is permitted from its begin to its end', () => {
    expect(refused([...begun, 'S', 'P 2', 'M completed'])).to.equal(undefined);
  });

  it('is told with what was permitted, the rows that say so, and the entry', () => {
    const { expected, got, entry, step } = refused([...begun, 'M completed']) ?? {};
    expect(expected?.join()).to.include('(MIG-SM-O');
    expect(got).to.equal('event MIGRATION {"status":"completed"}');
    expect(entry).to.be.greaterThan(5);
    expect(step).to.equal('in the whole conversation, by the model');
  });

  it('is not looked at where nothing migrates, and where commands are dropped', () => {
    expect(refused(['S'])).to.equal(undefined);
    expect(refused([...begun, 'E COMMAND_DROPPED', 'M completed'])).to.equal(undefined);
  });

  it('is not looked at where a release puts off what it was asked for in pre-switchover (QMP-BUG-09)', () => {
    const odd = ['> quit', '< {}', 'M setup'];
    const held = [capabilityOn('pause-before-switchover'), '< {}', ...begun, 'S', 'M pre-switchover', ...odd];
    const judged = (version: string, lines: readonly string[]) =>
      unlikeTheModel(new Script().lines(...lines).transcript, { ...baselineFacts, version }, new Set())?.got;
    expect(judged('4.2.0', held)).to.equal(undefined);
    expect(judged('5.2.0', held)).to.match(/"setup"/);
    expect(judged('4.2.0', [...begun, ...odd])).to.match(/"setup"/);
  });

  it('may begin with the outcome of a migration where the process has served before', () => {
    const shown = ['> query-migrate', '< {"status":"failed"}', eventsOn, '< {}', migrateTo, 'M setup', '< {}'];
    expect(refused(shown)?.got).to.match(/^reply .*"status":"failed"/);
    expect(refused(shown, ['source'])).to.equal(undefined);
    expect(refused([...shown, 'M completed'], ['source'])?.got).to.match(/completed/);
  });

  it('may show a status several announcements ahead, as long as these come', () => {
    const info = '{"status":"completed","total-time":1,"downtime":1,"setup-time":1,"ram":{}}';
    const ahead = [...begun, '> query-migrate', `< ${info}`];
    expect(refused([...ahead, 'wait 60', 'S', 'P 2', 'M completed'])).to.equal(undefined);
    expect(refused(ahead), 'an end before they could come').to.equal(undefined);
    expect(refused([...ahead, 'wait 60', 'S', 'P 2', 'M failed'])?.got).to.match(/^reply .*"completed"/);
  });

  it('may not show anything else of a status that was announced, however near its end is', () => {
    const said = (ram: string) => {
      const info = `{"status":"completed","total-time":1,"downtime":1,"setup-time":1${ram}}`;
      return [...begun, 'S', 'P 2', 'M completed', '> query-migrate', `< ${info}`];
    };
    expect(refused(said(',"ram":{}'))).to.equal(undefined);
    expect(refused(said(''))?.got).to.match(/^reply .*"completed"/);
    expect(refused([...said(''), 'wait 60'])?.got).to.match(/^reply .*"completed"/);
  });
});
