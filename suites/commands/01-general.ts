/** commands.md §1: rules that hold for every migration command. */
import { failure } from '../../oracle/patterns.js';
import type { Trial } from '../../oracle/trial.js';
import { isObject } from '../../protocol/json.js';
import type { Session } from '../../protocol/session.js';
import { isOurMachine } from '../../targets/machine.js';
import { ChapterBuilder } from '../requirement.js';
import { peerNeeds, source } from '../state-machine/source.js';
import { commandsWithValues } from './01-arguments.js';
import { setEverything } from './every-setting.js';
import { eventful, look, switchOn, unchanged } from './observe.js';
import { objectText, rawCommand } from './raw-arguments.js';
import { wrongTypeText } from './wrong-values.js';

const oobCommands = ['migrate-pause', 'migrate-recover'];

/** A session that may use `exec-oob`, on the plain instance where that is possible. */
async function oobSession(t: Trial): Promise<Session> {
  const qmp = t.facts.greeting.QMP;
  const offered = isObject(qmp) && Array.isArray(qmp.capabilities) && qmp.capabilities.includes('oob');
  if (offered) return t.session({ enable: ['oob'] });
  return t.session({ to: await t.start({ monitors: [{ transport: 'unix', oob: true }] }), enable: ['oob'] });
}

const good = (command: string): string =>
  objectText(Object.entries(commandsWithValues[command] ?? {}).map(([name, text]) => [name, text] as const));

/** The first argument of `migrate` that says yes or no, of `detach` and `resume`. */
const aFlag = (t: Trial): string =>
  t.dialect.migration.removedArguments.includes('migrate.detach') ? 'resume' : 'detach';

export const generalRules = new ChapterBuilder(['Migration commands', '1 General rules'], 'commands.md §1')
  .must(
    'MIG-CMD-GEN-01',
    'every refusal of a migration command is a GenericError with a text',
    async (t) => {
      const session = await t.session();
      for (const [name, args] of [
        ['migrate-set-capabilities', { capabilities: [{ capability: 'qmpspec-none', state: true }] }],
        ['migrate-set-parameters', { 'downtime-limit': 2000001 }],
        ['migrate-continue', { state: 'active' }],
        ['migrate-start-postcopy', {}],
        ['migrate-pause', {}],
        ['migrate-recover', { uri: 'qmpspec-none:1' }],
        ['migrate-incoming', { uri: 'qmpspec-none:1' }],
        ['migrate', { uri: 'qmpspec-none:1', resume: true }],
        ['migrate', { uri: 'qmpspec-none:1' }],
      ] as const) {
        const reply = await session.command(name, args);
        t.failed(reply, 'GenericError', undefined, name);
        const error = isObject(reply.value) ? reply.value.error : undefined;
        t.members(error, ['class', 'desc'], [], `${name}: error`);
        t.check(isObject(error) && error.desc !== '', 'a text', reply, name);
      }
      t.failed(
        await session.command('migrate-qmpspec-none'),
        'CommandNotFound',
        undefined,
        'a command that is not there',
      );
    },
    { needs: { abilities: ['start'] } },
  )
  .must(
    'MIG-CMD-GEN-02',
    'a success without data returns an empty object',
    async (t) => {
      const session = await t.session();
      for (const [name, args] of [
        ['migrate-set-parameters', {}],
        ['migrate-set-capabilities', { capabilities: [] }],
        ['migrate_cancel', undefined],
        ['migrate-continue', { state: 'none' }],
      ] as const) {
        t.equal(t.succeeded(await session.command(name, args), name), {}, name);
      }
    },
    { needs: { abilities: ['start'] } },
  )
  .must(
    'MIG-CMD-GEN-04.missing-first',
    'a missing member is found before an unexpected one',
    async (t) => {
      const session = await t.session();
      for (const [command, member] of [
        ['migrate-recover', 'uri'],
        ['migrate-continue', 'state'],
        ['migrate-set-capabilities', 'capabilities'],
        ['client_migrate_info', 'protocol'],
      ] as const) {
        const reply = await session.command(command, { aaa: 1 });
        t.failed(reply, 'GenericError', `Parameter '${member}' is missing`, command);
      }
    },
    { needs: { commands: ['client_migrate_info'] } },
  )
  .must('MIG-CMD-GEN-04.schema-order', 'members are checked in the order of the schema', async (t) => {
    const session = await t.session();
    const reply = await rawCommand(session, 'migrate', '{"resume":1,"detach":2,"uri":3}');
    t.failed(reply, 'GenericError', wrongTypeText('string', 'uri'), 'three members of wrong type');
    const later = await rawCommand(session, 'migrate', '{"resume":1,"detach":2,"uri":"x:y"}');
    t.failed(later, 'GenericError', wrongTypeText('boolean', aFlag(t)), 'two members of wrong type');
  })
  .must('MIG-CMD-GEN-04.types-before-unexpected', 'a wrong type is found before an unexpected member', async (t) => {
    const session = await t.session();
    const reply = await rawCommand(session, 'migrate', `{"aaa":1,"${aFlag(t)}":5,"uri":"x:y"}`);
    t.failed(reply, 'GenericError', wrongTypeText('boolean', aFlag(t)));
    const inner = await rawCommand(
      session,
      'migrate-set-capabilities',
      '{"aaa":1,"capabilities":[{"zzz":1,"state":1,"capability":"xbzrle"}]}',
    );
    t.failed(inner, 'GenericError', wrongTypeText('boolean', 'capabilities[0].state'));
    const innerExtra = await rawCommand(
      session,
      'migrate-set-capabilities',
      '{"aaa":1,"capabilities":[{"zzz":1,"state":true,"capability":"xbzrle"}]}',
    );
    t.failed(innerExtra, 'GenericError', "Parameter 'capabilities[0].zzz' is unexpected");
  })
  .must(
    'MIG-CMD-GEN-05',
    'an integer is no number with fraction or exponent, no text with a suffix, and no boolean',
    async (t) => {
      const session = await t.session();
      await unchanged(t, session, 'refused calls', async () => {
        for (const member of ['max-bandwidth', 'downtime-limit', 'cpu-throttle-initial', 'xbzrle-cache-size']) {
          for (const text of ['64.0', '64e0', '6.4e1', '0.64e2', '"64"', '"64k"', '"0x40"', 'true']) {
            const reply = await rawCommand(session, 'migrate-set-parameters', `{"${member}":${text}}`);
            t.failed(reply, 'GenericError', undefined, `${member}: ${text}`);
          }
        }
      });
    },
  )
  .must(
    'MIG-CMD-GEN-06',
    'before the machine is configured every migration command is refused',
    async (t) => {
      const session = await t.session({ to: await t.start({ extra: ['--preconfig'] }) });
      for (const command of Object.keys(commandsWithValues)) {
        if (t.facts.commands?.has(command) === false) continue;
        const reply = await rawCommand(session, command, good(command));
        t.failed(reply, 'GenericError', t.dialect.protocol.preconfigError(command), command);
      }
    },
    { needs: { abilities: ['start', 'arguments'], commands: ['x-exit-preconfig'] } },
  )
  .must(
    'MIG-CMD-GEN-07.refused',
    'no other migration command than pause and recover can be run out of band',
    async (t) => {
      const session = await oobSession(t);
      for (const command of Object.keys(commandsWithValues)) {
        if (oobCommands.includes(command) || t.facts.commands?.has(command) === false) continue;
        const args = JSON.parse(good(command)) as unknown;
        const reply = await session.command(command, args, { oob: true });
        t.failed(reply, 'GenericError', `The command ${command} does not support OOB`, command);
      }
    },
    { needs: { abilities: ['start', 'arguments'] } },
  )
  .must(
    'MIG-CMD-GEN-07.offered',
    'migrate-pause and migrate-recover run out of band, and answer as they do in band',
    async (t) => {
      const session = await oobSession(t);
      for (const command of oobCommands) {
        const args = JSON.parse(good(command)) as unknown;
        const [inBand, outOfBand] = [
          await session.command(command, args),
          await session.command(command, args, { oob: true }),
        ];
        t.matches(inBand, failure('GenericError'));
        t.matches(outOfBand, failure('GenericError'));
        const [a, b] = [inBand, outOfBand].map(({ value }) => (isObject(value) ? value.error : undefined));
        t.same(b, a, `${command} in and out of band`);
      }
    },
    { needs: { abilities: ['start', 'arguments'] } },
  )
  .must(
    'MIG-CMD-GEN-07.schema',
    'the schema flags exactly pause and recover as runnable out of band',
    async (t) => {
      const flagged = Object.keys(commandsWithValues).filter((name) => t.facts.schema.commands.get(name)?.allowOob);
      t.same(flagged.sort(), oobCommands, 'migration commands with allow-oob');
    },
    { needs: { commands: oobCommands } },
  )
  .must('MIG-CMD-GEN-08', 'asking again gives the same answer', async (t) => {
    const session = await t.session();
    const first = await look(t, session);
    for (const [name, value] of Object.entries(await look(t, session))) t.same(value, first[name], name);
  })
  .must(
    'MIG-CMD-GEN-10',
    'capabilities and parameters, all of them set, survive a migration that failed, one that was cancelled, and one that completed',
    async (t) => {
      const one = await source(t, 'answer');
      const { session } = one;
      await setEverything(t, session);
      const before = await look(t, session);
      const stays = async (end: string): Promise<void> => {
        const after = await look(t, session);
        for (const name of ['query-migrate-parameters', 'query-migrate-capabilities'])
          t.same(after[name], before[name], `${name} after a migration that has ${end}`);
      };
      await one.does('migrate', { uri: `unix:${one.instance.scratch}/absent.sock` });
      await one.until('failed');
      await stays('failed');
      await one.statusIs('failed');
      one.turn();
      await one.migrate();
      await one.until('pre-switchover');
      await stays('not ended');
      await one.does('migrate_cancel');
      await one.until('cancelled');
      await one.runs('running');
      await stays('been cancelled');
      one.turn();
      await one.migrate();
      await one.until('pre-switchover');
      await one.does('migrate-continue', { state: 'pre-switchover' });
      await one.until('completed');
      await one.runs('postmigrate');
      await stays('completed');
      const info = await one.info();
      t.same(info.status, 'completed', 'status');
      const cache = info['xbzrle-cache'];
      const parameters = before['query-migrate-parameters'];
      if (!isObject(cache) || !isObject(parameters)) return;
      t.same(cache['cache-size'], parameters['xbzrle-cache-size'], 'cache-size');
      // Its guest does nothing: no page is sent a second time.
      if (!isOurMachine(t.facts)) return;
      const sent = [cache.bytes, cache.pages, cache.overflow].map(String);
      t.same(sent, ['0', '0', '0'], 'bytes, pages and overflow of xbzrle, of a guest that stands still');
    },
    { needs: { ...peerNeeds, capabilities: ['pause-before-switchover'] } },
  )
  .must(
    'MIG-CMD-GEN-10.reconnect',
    'capabilities and parameters survive the session that set them',
    async (t) => {
      const first = await eventful(t);
      await switchOn(t, first, 'xbzrle');
      const parameters = { 'max-bandwidth': 4096, 'downtime-limit': 77, 'tls-hostname': 'host.invalid' };
      t.succeeded(await first.command('migrate-set-parameters', parameters));
      const before = await look(t, first);
      // Of every kind of failure nothing stays with the process.
      await first.exchange('{"execute":"qmpspec-none"}{"execute":"migrate-continue","arguments":{}}{"id":1}]');
      first.close();
      for (const client of ['next', 'one after it']) {
        const session = await t.session();
        const after = await look(t, session);
        for (const name of ['query-migrate-parameters', 'query-migrate-capabilities'])
          t.same(after[name], before[name], `${name}, of the ${client}`);
        session.close();
      }
    },
    { needs: { abilities: ['start', 'reconnect'] } },
  )
  .done();
