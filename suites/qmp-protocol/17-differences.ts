/** qmp-protocol.md §17: what later releases do differently, as far as no other chapter has it. */
import { event, type Pattern } from '../../oracle/patterns.js';
import { isReply } from '../../protocol/message.js';
import type { TargetFacts } from '../../targets/facts.js';
import { ChapterBuilder } from '../requirement.js';
import { clientAfter } from './next-client.js';
import { oobInstance } from './oob-target.js';
import { done, faulty, refused } from './shapes.js';
import { unexpected } from './texts.js';

const later = (facts: TargetFacts) =>
  facts.dialect.protocol.queueFull === 'wait' ? undefined : 'a defect of the baseline, which is not provoked';

const deprecated = ({ schema, commands }: TargetFacts): string[] =>
  [...schema.commands.values()]
    .filter(({ name, features }) => features.some((feature) => feature.name === 'deprecated') && commands?.has(name))
    .map(({ name }) => name);

const argument = ({ schema }: TargetFacts, command: string, member: string): boolean =>
  schema.membersOf(schema.commands.get(command)?.arguments).some(({ name }) => name === member);

export const differences = new ChapterBuilder(['QMP protocol', '17 Later releases'], 'qmp-protocol.md §17')
  .must(
    'QMP-D-07',
    'a burst of out-of-band and in-band commands without ids is answered whole',
    async (t) => {
      const session = await t.session({ to: await oobInstance(t), enable: ['oob'] });
      const mark = session.mark();
      await session.sendBytes('{"execute":"query-commands"}'.repeat(30) + 'nope '.repeat(20));
      const got = await session.fence(mark, 15000);
      t.check(got.length === 50 && got.every(isReply), '50 replies', `${got.length} messages`);
    },
    { needs: { unless: later } },
  )
  .must(
    'QMP-D-07.disconnect',
    'a disconnect with commands still unread leaves the monitor usable',
    async (t) => {
      const instance = await oobInstance(t);
      for (let round = 0; round < 3; round++) {
        const second = await clientAfter(t, instance, async () => {
          const first = await t.session({ to: instance });
          // With ids, since replies may reach the next client, even ahead of its greeting (QMP-CONN-08).
          const commands = Array.from({ length: 20 }, () => `{"execute":"query-commands","id":"${first.freshId()}"}`);
          await first.sendBytes(commands.join(''));
          first.close();
        });
        t.succeeded(await second.command('query-version'), 'after the disconnect');
        await second.fence();
        second.close();
      }
    },
    { needs: { unless: later, abilities: ['start', 'reconnect'] } },
  )
  .must(
    'QMP-EVT-15',
    'events come in the same order with oob enabled',
    async (t) => {
      const session = await t.session({ to: await oobInstance(t), enable: ['oob'] });
      t.sequence(await session.exchange('{"execute":"stop","id":1}'), [event('STOP'), done({}, { id: 1 })]);
      t.sequence(await session.exchange('{"execute":"cont","id":2}'), [event('RESUME'), done({}, { id: 2 })]);
      const mark = session.mark();
      const id = session.post('system_reset');
      await session.reply(id, { since: mark });
      await session.event('RESET', { since: mark });
      const names = (await session.fence(mark)).map((message) => message.kind).join();
      const late = t.dialect.protocol.requestsAct === 'after-reply';
      t.equal(names, late ? 'success,event' : 'event,success', 'reply and RESET');
    },
    { needs: { abilities: ['start', 'arguments'] } },
  )
  .must(
    'QMP-D-11',
    'where deprecated input is rejected, deprecated commands are unknown but listed',
    async (t) => {
      const session = await t.session({ to: await t.start({ extra: ['-compat', 'deprecated-input=reject'] }) });
      const names = deprecated(t.facts);
      const text = names.map((execute, id) => JSON.stringify({ execute, id })).join('');
      t.sequence(
        await session.exchange(text),
        names.map((name, id) => refused('CommandNotFound', `Deprecated command ${name} disabled by policy`, { id })),
      );
      const listed = JSON.stringify(t.succeeded(await session.command('query-commands')));
      for (const name of names) t.check(listed.includes(`"${name}"`), `${name} listed`, 'not listed');
    },
    {
      needs: {
        abilities: ['start', 'arguments'],
        unless: (facts) =>
          facts.dialect.protocol.json === 'baseline'
            ? 'the option -compat is unknown'
            : deprecated(facts).length === 0
              ? 'no command is deprecated'
              : undefined,
      },
    },
  )
  .must(
    'QMP-D-49',
    'migrate-incoming without -incoming, and a second time, fails without an event',
    async (t) => {
      const { migration } = t.dialect;
      const plain = await t.session();
      const uri = 'unix:again.sock';
      t.sequence(await plain.exchange(`{"execute":"migrate-incoming","arguments":{"uri":"${uri}"},"id":1}`), [
        faulty(migration.notDeferredText, { id: 1 }),
      ]);
      const instance = await t.start({ incoming: 'unix:in.sock' }, 'destination');
      const session = await t.session({ to: instance });
      t.sequence(await session.exchange(`{"execute":"migrate-incoming","arguments":{"uri":"${uri}"},"id":2}`), [
        faulty(migration.startedByUriText, { id: 2 }),
      ]);
    },
    { needs: { abilities: ['start', 'incoming'], commands: ['migrate-incoming'] }, tags: ['QMP-RUN-22'] },
  )
  .must(
    'QMP-D72-03',
    'without the capability events, migrate-incoming says setup only where it is no state',
    async (t) => {
      const session = await t.session({ to: await t.start({ incoming: 'defer' }, 'destination') });
      const got = await session.exchange('{"execute":"migrate-incoming","arguments":{"uri":"unix:in.sock"},"id":1}');
      const setup: Pattern[] =
        t.dialect.migration.incomingSetup === 'event' ? [event('MIGRATION', { status: 'setup' })] : [];
      t.sequence(got, [...setup, done({}, { id: 1 })]);
    },
    { needs: { abilities: ['start', 'incoming'], commands: ['migrate-incoming'] }, tags: ['QMP-D100-04'] },
  )
  .must(
    'QMP-D100-03',
    'migrate without uri and channels fails, and the flags of block migration are unknown',
    async (t) => {
      const session = await t.session();
      t.failed(await session.command('migrate'), 'GenericError', t.dialect.migration.needsUriText);
      for (const flag of ['blk', 'inc']) {
        if (argument(t.facts, 'migrate', flag)) continue;
        const reply = await session.command('migrate', { uri: 'unix:qmpspec-none.sock', [flag]: true });
        t.failed(reply, 'GenericError', unexpected(flag));
      }
    },
    { needs: { abilities: ['start'], members: ['migrate.channels', 'migrate.uri'] } },
  )
  .must(
    'QMP-D100-03.scheme',
    'an unknown protocol is refused at once, without an event',
    async (t) => {
      const session = await t.session();
      t.sequence(await session.exchange('{"execute":"migrate","arguments":{"uri":"qmpspec:x"},"id":1}'), [
        faulty(t.dialect.migration.unknownScheme('qmpspec:x'), { id: 1 }),
      ]);
    },
    {
      needs: {
        abilities: ['start'],
        commands: ['migrate'],
        unless: ({ dialect }) => (dialect.migration.badUri === 'first' ? undefined : 'it shows in the status'),
      },
    },
  )
  .must(
    'QMP-D100-09',
    'parameters and capabilities that are gone are unknown',
    async (t) => {
      const session = await t.session();
      for (const name of ['compress-level', 'block-incremental']) {
        if (argument(t.facts, 'migrate-set-parameters', name)) continue;
        t.failed(await session.command('migrate-set-parameters', { [name]: 1 }), 'GenericError', unexpected(name));
      }
      const capability = 'compress';
      const known = t.dialect.migration.capabilities.includes(capability) || t.facts.dialectNote !== undefined;
      if (known) return;
      const reply = await session.command('migrate-set-capabilities', { capabilities: [{ capability, state: true }] });
      t.failed(reply, 'GenericError', t.dialect.protocol.enumError('capability', capability));
    },
    {
      needs: {
        commands: ['migrate-set-parameters', 'migrate-set-capabilities'],
        unless: (facts) =>
          argument(facts, 'migrate-set-parameters', 'compress-level') ? 'they are still there' : undefined,
      },
    },
  )
  .done();
