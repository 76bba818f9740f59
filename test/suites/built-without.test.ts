import { expect } from 'chai';
import { asBuiltIn, partsLackingIn } from '../../oracle/release.js';
import { Transcript } from '../../protocol/transcript.js';
import {
  asListed,
  type BuildPart,
  buildParts,
  builtWithout,
  goneWithTheirPart,
  withoutKnowingTheHost,
} from '../../reference/dialects/built-without.js';
import { type Dialect, dialects } from '../../reference/dialects/dialect.js';
import { command, initialState } from '../../reference/model/index.js';
import { learnFacts } from '../../targets/facts.js';
import { monitor } from '../targets/tiny-monitor.js';

const [block, replication, snapshot] = buildParts as [BuildPart, BuildPart, BuildPart];

const { capabilities: all } = dialects['7.2'].migration;
const shown = ({ migration: rules }: Dialect): string[] =>
  command(initialState(rules, {}), { name: 'query-migrate-capabilities', args: {} }, rules).flatMap(({ outputs }) =>
    outputs.flatMap((one) =>
      one.kind === 'reply' && one.ok && one.value !== undefined && 'exact' in one.value
        ? (one.value.exact as { capability: string }[]).map(({ capability }) => capability)
        : [],
    ),
  );

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

  it('does not list every capability that it refuses, and lists what it does not lack', () => {
    expect(shown(builtWithout(dialects['7.2'], [replication]))).to.deep.equal(all);
    expect(shown(builtWithout(dialects['7.2'], [block]))).to.deep.equal(all.filter((name) => name !== 'block'));
  });

  it('is known by what it lists where there is no more to go by', () => {
    const listing = (...absent: string[]) =>
      asListed(dialects['7.2'], new Set(all.filter((name) => !absent.includes(name))));
    expect(listing()).to.deep.equal(dialects['7.2']);
    expect(shown(listing('block'))).to.deep.equal(all.filter((name) => name !== 'block'));
    expect(listing('block').migration.capabilities).to.include('block');
    expect(listing('zero-copy-send').migration.capabilities).not.to.include('zero-copy-send');
    // What every build of the release has is missed.
    expect(shown(listing('events'))).to.deep.equal(all);
  });

  it('is told from a conversation by its list and its refusals', () => {
    const transcript = new Transcript();
    const list = all.filter((name) => name !== 'block').map((capability) => ({ capability, state: false }));
    transcript.add('source', 'received', JSON.stringify({ return: list }));
    transcript.add('source', 'received', JSON.stringify({ error: { class: 'GenericError', desc: replication.desc } }));
    const { unlisted, conflicts } = asBuiltIn(transcript.entries, dialects['7.2']).migration;
    expect(unlisted).to.deep.equal(['block']);
    expect(conflicts.slice(0, 2).map(({ desc }) => desc)).to.have.members([block.desc, replication.desc]);
  });

  it('may refuse postcopy on a destination, and there alone, only where the host is not known', () => {
    const answers = (dialect: Dialect, incoming: boolean) => {
      const { migration: rules } = dialect;
      const args = { capabilities: [{ capability: 'postcopy-ram', state: true }] };
      const start = initialState(rules, incoming ? { incoming: 'defer' } : {});
      return command(start, { name: 'migrate-set-capabilities', args }, rules).flatMap(({ outputs }) =>
        outputs.flatMap((one) => (one.kind !== 'reply' ? [] : one.ok ? ['done'] : [one.desc])),
      );
    };
    const unknown = withoutKnowingTheHost(dialects['7.2']);
    expect(answers(dialects['7.2'], true)).to.deep.equal(['done']);
    expect(answers(unknown, true)).to.have.members(['done', 'Postcopy is not supported']);
    expect(answers(unknown, false)).to.deep.equal(['done']);
  });

  it('refuses a snapshot in the background where the host does not let it have what that needs', () => {
    const { migration: rules } = builtWithout(dialects['7.2'], [snapshot]);
    const args = { capabilities: [{ capability: 'background-snapshot', state: true }] };
    const outcomes = command(initialState(rules, {}), { name: 'migrate-set-capabilities', args }, rules);
    expect(outcomes.flatMap(({ outputs }) => outputs).map((one) => one.kind === 'reply' && one.ok)).to.deep.equal([
      false,
    ]);
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
    const list = '["xbzrle", "x-colo"].map((capability) => ({ capability, state: on.has(capability) }))';
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
      const { conflicts, unlisted } = dialect.migration;
      expect(conflicts).to.deep.equal([{ on: ['block'], desc: block.desc }, ...dialects['3.0'].migration.conflicts]);
      expect(unlisted).to.deep.equal(['block']);
      const session = await instance.connect();
      await session.negotiate();
      const { value } = await session.command('query-migrate-capabilities');
      expect(JSON.stringify(value)).not.to.include('true');
    } finally {
      await target.close();
    }
  });
});
