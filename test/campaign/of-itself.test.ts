import { expect } from 'chai';
import { ofItselfSymptoms } from '../../campaign/of-itself.js';
import { Transcript } from '../../protocol/transcript.js';
import { toIntrospection } from '../../qapi/introspection.js';
import { loadSchema } from '../../reference/schema/index.js';

const schema = loadSchema('7.2');
const version = '{"qemu": {"micro": 0, "minor": 2, "major": 7}, "package": ""}';

function told(command: string, result: string): (string | undefined)[] {
  const transcript = new Transcript();
  transcript.add('source', 'received', `{"QMP": {"version": ${version}, "capabilities": []}}`);
  transcript.add('source', 'sent', `{"execute":"${command}","id":"qs1.2"}\n`);
  transcript.add('source', 'received', `{"return": ${result}, "id": "qs1.2"}`);
  return ofItselfSymptoms(transcript, schema).map(({ rows: [row] }) => row);
}

const entities = toIntrospection(schema) as readonly { readonly name: string }[];
const names = (list: Iterable<string>) => JSON.stringify([...list].map((name) => ({ name })));

describe('what a target says of itself', () => {
  it('is right where it agrees', () => {
    expect(told('query-qmp-schema', JSON.stringify(entities))).to.deep.equal([]);
    expect(told('query-commands', names(schema.commands.keys()))).to.deep.equal([]);
    expect(told('query-events', names([...schema.events.keys(), 'FROM_ELSEWHERE']))).to.deep.equal([]);
    expect(told('query-version', version)).to.deep.equal([]);
  });

  it('does not begin to run in single steps', () => {
    const status = (singlestep: string) => `{"return": {"status": "running"${singlestep}}, "id": "qs1.2"}`;
    const asked = (...replies: readonly string[]) => told(undefined, replies);
    const told = (learned: boolean | undefined, replies: readonly string[]) => {
      const transcript = new Transcript();
      for (const reply of replies) {
        transcript.add('source', 'sent', '{"execute":"query-status","id":"qs1.2"}\n');
        transcript.add('source', 'received', reply);
      }
      return ofItselfSymptoms(transcript, schema, learned).map(({ rows: [row] }) => row);
    };
    const [no, yes, unsaid] = [status(', "singlestep": false'), status(', "singlestep": true'), status('')] as const;
    expect(asked(no, no)).to.deep.equal([]);
    expect(asked(yes, unsaid, yes)).to.deep.equal([]);
    expect(asked(no, unsaid, yes)).to.deep.equal(['QMP-BASE-06']);
    expect(told(false, [yes])).to.deep.equal(['QMP-BASE-06']);
    expect(told(true, [yes, unsaid])).to.deep.equal([]);
  });

  it('is told where it does not', () => {
    const without = entities.filter(({ name }) => name !== 'migrate');
    expect(told('query-qmp-schema', JSON.stringify(without))).to.deep.equal(['QMP-BASE-05']);
    expect(told('query-qmp-schema', '[{"name": "x", "meta-type": "unheard-of"}]')).to.deep.equal(['QMP-BASE-05']);
    expect(told('query-commands', names([...schema.commands.keys(), 'more']))).to.deep.equal(['QMP-BASE-03']);
    expect(told('query-commands', names(['stop', 'cont']))).to.deep.equal(['QMP-BASE-03']);
    expect(told('query-events', names(['STOP']))).to.deep.equal(['QMP-BASE-04']);
    expect(told('query-version', version.replace('7', '8'))).to.deep.equal(['QMP-GREET-03']);
  });
});
