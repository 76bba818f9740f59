import { expect } from 'chai';
import { offSchemaSymptoms } from '../../campaign/off-schema.js';
import { Transcript } from '../../protocol/transcript.js';
import { fromIntrospection, toIntrospection } from '../../qapi/introspection.js';
import { parseQapi } from '../../qapi/parse.js';
import { loadSchema } from '../../reference/schema/index.js';

function talk(command: string, result: string): Transcript {
  const transcript = new Transcript();
  transcript.add('source', 'sent', `{"execute":"${command}","id":"qs1.2"}\n`);
  transcript.add('source', 'received', `{"return": ${result}, "id": "qs1.2"}`);
  return transcript;
}

describe('results off the schema', () => {
  const told = (command: string, result: string) =>
    offSchemaSymptoms(talk(command, result), loadSchema('7.2')).map(({ subject }) => subject);

  it('are told with the command and the place, whatever entry of a list it is', () => {
    expect(told('query-commands', '["stop"]')).to.deep.equal(['success of query-commands off the schema at [N]']);
    expect(told('query-migrate', '{"status": "nowhere"}')).to.have.length(1);
    expect(
      told('query-status', '{"status": "running", "running": true, "singlestep": false, "more": 1}'),
    ).to.have.length(1);
    expect(told('stop', '[]')).to.have.length(1);
  });

  it('are told of events, too', () => {
    const event = (data: string) => {
      const transcript = new Transcript();
      transcript.add('source', 'received', `{"event": "MIGRATION", "data": ${data}}`);
      return offSchemaSymptoms(transcript, loadSchema('7.2')).map(({ rows: [row] }) => row);
    };
    expect(event('{"status": "setup"}')).to.deep.equal([]);
    expect(event('{"status": "setup", "before": "none"}')).to.deep.equal(['QMP-EVT-01']);
  });

  it('are told of events that a monitor does not list itself', () => {
    const transcript = new Transcript();
    transcript.add('source', 'received', '{"event": "STOP"}');
    const own = fromIntrospection(toIntrospection(parseQapi("{ 'event': 'RESUME' }")));
    expect(offSchemaSymptoms(transcript, own).map(({ rows: [row] }) => row)).to.deep.equal(['QMP-EVT-01']);
    expect(offSchemaSymptoms(transcript, loadSchema('7.2'))).to.deep.equal([]);
  });

  it('are not what fits, nor what nobody can know', () => {
    expect(told('query-migrate', '{}')).to.deep.equal([]);
    expect(told('query-commands', '[{"name": "stop"}]')).to.deep.equal([]);
    expect(told('query-elsewhere', '[1]')).to.deep.equal([]);
  });
});
