import { expect } from 'chai';
import { partsLackingIn } from '../../oracle/release.js';
import { Transcript } from '../../protocol/transcript.js';
import { buildParts, builtWithout, goneWithTheirPart } from '../../reference/dialects/built-without.js';
import { dialects } from '../../reference/dialects/dialect.js';
import { command, initialState } from '../../reference/model/index.js';
import { learnFacts } from '../../targets/facts.js';
import { monitor } from '../targets/tiny-monitor.js';

const [block, replication] = buildParts as [(typeof buildParts)[0], (typeof buildParts)[0]];

describe('a build that lacks a part of its release', () => {
  it('refuses the capabilities and the arguments that need it, and nothing else', () => {
    const { migration: rules } = builtWithout(dialects['7.2'], [block]);
    const start = initialState(rules, {});
    const outcome = (name: string, args: object, of = rules) =>
      command(start, { name, args: args as never }, of).flatMap(({ outputs }) =>
        outputs.flatMap((one) => (one.kind !== 'reply' ? [] : one.ok ? ['done'] : [one.desc])),
      );
    const setting = (...names: string[]) => ({
      capabilities: names.map((capability) => ({ capability, state: true })),
    });
    expect(outcome('migrate-set-capabilities', setting('xbzrle', 'block'))).to.deep.equal([block.desc]);
    expect(outcome('migrate-set-capabilities', setting('x-colo'))).to.deep.equal(['done']);
    for (const option of ['blk', 'inc']) {
      const args = { uri: 'unix:/m', [option]: true };
      expect(outcome('migrate', args)).to.deep.equal([block.desc]);
      expect(outcome('migrate', args, dialects['7.2'].migration)).not.to.include(block.desc);
    }
  });

  it('need not have the commands that go with it, where it has none of them', () => {
    expect([...goneWithTheirPart(['migrate'])]).to.deep.equal(replication.commands);
    expect([...goneWithTheirPart(['migrate', 'query-colo-status'])]).to.deep.equal([]);
  });

  it('excuses what was refused for want of it', () => {
    const transcript = new Transcript();
    transcript.add('source', 'received', JSON.stringify({ error: { class: 'GenericError', desc: 'no' } }));
    expect(partsLackingIn(transcript.entries)).to.deep.equal([]);
    transcript.add('source', 'received', JSON.stringify({ error: { class: 'GenericError', desc: replication.desc } }));
    expect(partsLackingIn(transcript.entries)).to.deep.equal([replication]);
  });

  it('is found out by asking, and what was switched on for that is off again', async () => {
    const list = '["xbzrle", "block", "x-colo"].map((capability) => ({ capability, state: on.has(capability) }))';
    const set = `args.capabilities.some(({ capability, state }) => capability === "block" && state)
      ? { error: { class: "GenericError", desc: "${block.desc}" } }
      : (args.capabilities.forEach(({ capability, state }) => state ? on.add(capability) : on.delete(capability)), { return: {} })`;
    const target = monitor(
      `(globalThis.on ??= new Set(), execute === "query-migrate-capabilities") ? { return: ${list} }
      : execute === "query-migrate-parameters" ? { return: {} }
      : execute === "migrate-set-capabilities" ? ${set} : { return: {} }`,
    );
    try {
      const instance = await target.start();
      const { dialect } = await learnFacts(instance);
      expect(dialect.migration.conflicts).to.deep.equal([
        { on: ['block'], desc: block.desc },
        ...dialects['3.0'].migration.conflicts,
      ]);
      const session = await instance.connect();
      await session.negotiate();
      const { value } = await session.command('query-migrate-capabilities');
      expect(JSON.stringify(value)).not.to.include('true');
    } finally {
      await target.close();
    }
  });
});
