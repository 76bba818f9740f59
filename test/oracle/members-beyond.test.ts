import { expect } from 'chai';
import { membersBeyond } from '../../oracle/members-beyond.js';
import { type Definition, Schema } from '../../qapi/schema.js';

const member = (name: string, type: string) => ({
  name,
  type: { name: type, list: false },
  optional: true,
  features: [],
});
const definitions = [
  { kind: 'struct', name: '1', members: [member('seconds', 'int'), member('data', 'int')], features: [] },
  { kind: 'struct', name: '2', members: [member('status', 'str'), member('x-more', '3')], features: [] },
  { kind: 'struct', name: '3', members: [member('x-inner', 'int')], features: [] },
  { kind: 'command', name: 'query-migrate', returns: { name: '2', list: false }, features: [] },
  { kind: 'command', name: 'query-other', returns: { name: '1', list: false }, features: [] },
] as unknown as readonly Definition[];

describe('members beyond every dialect', () => {
  const own = new Schema(definitions, 'introspection');

  it('are those that the command returns, at any depth, and no dialect has', () => {
    expect([...membersBeyond(own, 'query-migrate')]).to.deep.equal(['x-more', 'x-inner']);
  });

  it('are not those of another command', () => {
    expect([...membersBeyond(own, 'query-status')]).to.deep.equal([]);
  });

  it('are none for a command that no dialect describes', () => {
    expect([...membersBeyond(own, 'query-other')]).to.deep.equal([]);
  });

  it('are none where the schema is not the target’s own', () => {
    expect([...membersBeyond(new Schema(definitions, 'text'), 'query-migrate')]).to.deep.equal([]);
  });
});
