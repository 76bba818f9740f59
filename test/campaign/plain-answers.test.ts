import { expect } from 'chai';
import { plainSymptoms } from '../../campaign/plain-answers.js';
import { Transcript } from '../../protocol/transcript.js';
import { dialects } from '../../reference/dialects/dialect.js';
import { loadSchema } from '../../reference/schema/index.js';

/** What speaks against a source that was started so, negotiated, and answered one command so. */
function against(start: object, command: string, reply: string, dialect: '3.0' | '10.0' = '3.0'): string[] {
  const transcript = new Transcript();
  transcript.add('source', 'started', JSON.stringify(start));
  transcript.add('source', 'connected', 'unix:somewhere');
  transcript.add('source', 'sent', '{"execute":"qmp_capabilities","id":"qs1.1"}\n');
  transcript.add('source', 'received', '{"return": {}, "id": "qs1.1"}');
  transcript.add('source', 'sent', `${command}\n`);
  transcript.add('source', 'received', reply);
  return plainSymptoms(transcript, loadSchema(dialect), dialects[dialect]).map(
    ({ rows, subject }) => `${rows} ${subject}`,
  );
}

const name = '{"execute":"query-name","id":"qs1.2"}';
const getfd = '{"execute":"getfd","arguments":{"fdname":"qmpspec"},"id":"qs1.2"}';
const wakeup = '{"execute":"system_wakeup","id":"qs1.2"}';
const done = '{"return": {}, "id": "qs1.2"}';
const refused = '{"id": "qs1.2", "error": {"class": "GenericError", "desc": "no"}}';

describe('answers of commands that there is only one answer to', () => {
  it('are right as they should be', () => {
    expect(against({}, name, done)).to.deep.equal([]);
    expect(against({ name: 'a' }, name, '{"return": {"name": "a"}, "id": "qs1.2"}')).to.deep.equal([]);
    expect(against({}, getfd, refused)).to.deep.equal([]);
    expect(against({}, wakeup, done)).to.deep.equal([]);
    expect(against({}, wakeup, refused, '10.0')).to.deep.equal([]);
  });

  it('are told when they are others', () => {
    expect(against({}, name, refused)).to.deep.equal(['QMP-BASE-02 error of query-name']);
    expect(against({ name: 'a' }, name, done)).to.deep.equal(['QMP-BASE-02 success of query-name']);
    expect(against({}, getfd, done)).to.deep.equal(['QMP-FD-04 success of getfd']);
    expect(against({}, wakeup, refused)).to.deep.equal(['QMP-BASE-14 error of system_wakeup']);
    expect(against({}, wakeup, done, '10.0')).to.deep.equal(['QMP-BASE-14 success of system_wakeup']);
  });

  it('say nothing ahead of the negotiation', () => {
    const transcript = new Transcript();
    transcript.add('source', 'started', '{}');
    transcript.add('source', 'connected', 'unix:somewhere');
    transcript.add('source', 'sent', `${name}\n`);
    transcript.add('source', 'received', refused);
    expect(plainSymptoms(transcript, loadSchema('3.0'), dialects['3.0'])).to.deep.equal([]);
  });

  /** A plain source with one connection, and how it is asked and answers there. */
  function conversation() {
    const transcript = new Transcript();
    const goes = (sent: string, received: string) => {
      transcript.add('source', 'sent', `${sent}\n`);
      transcript.add('source', 'received', received);
    };
    transcript.add('source', 'started', '{}');
    transcript.add('source', 'connected', 'unix:somewhere');
    return { transcript, goes };
  }

  /** What is said of the sets that are shown once this descriptor was added. */
  function sets(fds: string, between?: string): string[] {
    const { transcript, goes } = conversation();
    goes('{"execute":"qmp_capabilities","id":"qs1.1"}', '{"return": {}, "id": "qs1.1"}');
    transcript.add('source', 'note', '1 descriptors ride on what is sent next');
    goes(
      '{"execute":"add-fd","arguments":{"fdset-id":4712},"id":"qs1.2"}',
      '{"return": {"fdset-id": 4712, "fd": 14}, "id": "qs1.2"}',
    );
    if (between !== undefined) goes(between, '{"return": {}, "id": "qs1.3"}');
    goes('{"execute":"query-fdsets","id":"qs1.4"}', `{"return": [{"fdset-id": 4712, "fds": [${fds}]}], "id": "qs1.4"}`);
    return plainSymptoms(transcript, loadSchema('3.0'), dialects['3.0']).map(({ rows }) => `${rows}`);
  }

  it('show a descriptor under the number that it was given', () => {
    expect(sets('{"fd": 12}, {"fd": 14}')).to.deep.equal([]);
    expect(sets('{"fd": 15}')).to.deep.equal(['QMP-FD-13']);
    expect(sets('', '{"execute":"remove-fd","arguments":{"fdset-id":4712},"id":"qs1.3"}')).to.deep.equal([]);
  });

  /** What is said of this list of what can be yanked, of a source that shows this status. */
  function yanks(list: string, { status = 'pre-switchover', between = '', other = false } = {}): string[] {
    const { transcript, goes } = conversation();
    if (other) transcript.add('source#2', 'connected', 'unix:elsewhere');
    goes('{"execute":"qmp_capabilities","id":"qs1.1"}', '{"return": {}, "id": "qs1.1"}');
    goes('{"execute":"query-migrate","id":"qs1.2"}', `{"return": {"status": "${status}"}, "id": "qs1.2"}`);
    if (between !== '') goes(between, '{"return": {}, "id": "qs1.3"}');
    goes('{"execute":"query-yank","id":"qs1.4"}', `{"return": [${list}], "id": "qs1.4"}`);
    return plainSymptoms(transcript, loadSchema('7.2'), dialects['7.2']).map(({ rows }) => `${rows}`);
  }

  it('list the migration that is held back before its switch-over', () => {
    expect(yanks('{"type": "migration"}')).to.deep.equal([]);
    expect(yanks('{"type": "chardev", "id": "a"}')).to.deep.equal(['QMP-D-04']);
    expect(yanks('', { between: '{"execute":"query-status","id":"qs1.3"}' })).to.deep.equal(['QMP-D-04']);
  });

  it('say nothing of it where it may have gone on', () => {
    expect(yanks('', { status: 'completed' })).to.deep.equal([]);
    expect(yanks('', { between: '{"execute":"migrate_cancel","id":"qs1.3"}' })).to.deep.equal([]);
    expect(yanks('', { between: '{"execute":"query-status","execute":"stop","id":"qs1.3"}' })).to.deep.equal([]);
    expect(yanks('', { other: true })).to.deep.equal([]);
  });
});
