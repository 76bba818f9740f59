/** qmp-protocol.md §15: run states, as far as they need no migration. */
import { event, type Pattern } from '../../oracle/patterns.js';
import type { Trial } from '../../oracle/trial.js';
import { isObject } from '../../protocol/json.js';
import type { Session } from '../../protocol/session.js';
import type { TargetFacts } from '../../targets/facts.js';
import type { StartOptions } from '../../targets/target.js';
import { ChapterBuilder } from '../requirement.js';
import { done, faulty } from './shapes.js';

const started = { needs: { abilities: ['start'] } } as const;
const incoming = { needs: { abilities: ['start', 'incoming'] } } as const;
const several = { abilities: ['start', 'arguments'] } as const;

async function status(t: Trial, session: Session): Promise<string> {
  const value = t.succeeded(await session.command('query-status'));
  if (!isObject(value)) return JSON.stringify(value);
  t.same(value.running, value.status === 'running', 'running, compared with status');
  return String(value.status);
}

/** One command, what the client sees of it, and the state it leads to. */
async function step(t: Trial, session: Session, command: string, seen: 'reply' | string, state: string): Promise<void> {
  const mark = session.mark();
  session.post(command, undefined, { id: command });
  const reply = done({}, { id: command });
  if (seen !== 'reply') await session.event(seen, { since: mark });
  await session.reply(command, { since: mark });
  const late = command === 'system_reset' && t.dialect.protocol.requestsAct === 'after-reply';
  const expected: Pattern[] = seen === 'reply' ? [reply] : late ? [reply, event(seen)] : [event(seen), reply];
  t.sequence(await session.fence(mark), expected);
  t.equal(await status(t, session), state, `state after ${command}`);
}

const own = async (t: Trial, options: StartOptions): Promise<Session> => t.session({ to: await t.start(options) });

const preconfigState = (facts: TargetFacts) =>
  facts.dialect.protocol.preconfigState ? undefined : 'it has no run state preconfig';
const preconfigGate = (facts: TargetFacts) =>
  facts.dialect.protocol.preconfigState ? 'it has a run state preconfig' : undefined;

/** What the baseline allows before x-exit-preconfig. */
const allowed = new Set(
  `qmp_capabilities qom-get qom-list qom-list-properties qom-list-types qom-set query-chardev query-command-line-options
  query-commands query-hotpluggable-cpus query-iothreads query-memdev query-name query-pr-managers query-qmp-schema query-status
  query-uuid query-version set-numa-node x-exit-preconfig`.split(/\s+/),
);

export const runStates = new ChapterBuilder(['QMP protocol', '15 Run states'], 'qmp-protocol.md §15')
  .must(
    'QMP-RUN-01',
    'running: stop pauses, cont and system_reset keep the state',
    async (t) => {
      const session = await t.session();
      t.equal(await status(t, session), 'running', 'the state at first');
      await step(t, session, 'cont', 'reply', 'running');
      await step(t, session, 'system_reset', 'RESET', 'running');
      await step(t, session, 'stop', 'STOP', 'paused');
    },
    started,
  )
  .must(
    'QMP-RUN-02',
    'paused: stop keeps the state, cont resumes, system_reset leads to prelaunch',
    async (t) => {
      const session = await t.session();
      await session.command('stop');
      await step(t, session, 'stop', 'reply', 'paused');
      await step(t, session, 'cont', 'RESUME', 'running');
      await session.command('stop');
      await step(t, session, 'system_reset', 'RESET', 'prelaunch');
      await step(t, session, 'cont', 'RESUME', 'running');
    },
    started,
  )
  .must(
    'QMP-RUN-03',
    'prelaunch: stop and system_reset keep the state, cont starts the guest',
    async (t) => {
      const session = await own(t, { paused: true });
      t.equal(await status(t, session), 'prelaunch', 'the state at first');
      await step(t, session, 'stop', 'reply', 'prelaunch');
      await step(t, session, 'system_reset', 'RESET', 'prelaunch');
      await step(t, session, 'cont', 'RESUME', 'running');
    },
    started,
  )
  .must(
    'QMP-RUN-04',
    'inmigrate: stop, cont and system_reset keep the state',
    async (t) => {
      const session = await own(t, { incoming: 'defer' });
      for (const command of ['stop', 'cont', 'stop']) await step(t, session, command, 'reply', 'inmigrate');
      await step(t, session, 'system_reset', 'RESET', 'inmigrate');
    },
    incoming,
  )
  .must(
    'QMP-RUN-04.migrate',
    'inmigrate: no migration can be started',
    async (t) => {
      const session = await own(t, { incoming: 'defer' });
      const reply = await session.command('migrate', { uri: 'unix:qmpspec-none.sock' }, { id: 1 });
      t.matches(reply, faulty('Guest is waiting for an incoming migration', { id: 1 }));
      t.equal(await status(t, session), 'inmigrate', 'the state afterwards');
    },
    incoming,
  )
  .must(
    'QMP-RUN-04.quit',
    'inmigrate: quit ends the process with status 0',
    async (t) => {
      const instance = await t.start({ incoming: 'defer' });
      const session = await t.session({ to: instance });
      session.post('quit');
      await session.eof();
      const events = t.eventNames(session.since(0)).join();
      t.check(events === 'SHUTDOWN', 'SHUTDOWN and no other event', events);
      t.equal((await instance.exited(5000)).code, 0, 'exit status');
    },
    { needs: { abilities: ['start', 'incoming', 'exit'] } },
  )
  .must(
    'QMP-RUN-10',
    'a machine starts running, with -S in prelaunch, with -incoming in inmigrate',
    async (t) => {
      const starts: readonly (readonly [StartOptions, string])[] = [
        [{}, 'running'],
        [{ paused: true }, 'prelaunch'],
        [{ incoming: 'defer' }, 'inmigrate'],
        [{ incoming: 'defer', paused: true }, 'inmigrate'],
      ];
      await Promise.all(
        starts.map(async ([options, state]) =>
          t.equal(await status(t, await own(t, options)), state, JSON.stringify(options)),
        ),
      );
    },
    incoming,
  )
  .must(
    'QMP-RUN-18',
    'cont starts a guest that stop has stopped, again and again',
    async (t) => {
      const session = await t.session();
      for (let round = 0; round < 3; round++) {
        await step(t, session, 'stop', 'STOP', 'paused');
        await step(t, session, 'cont', 'RESUME', 'running');
      }
    },
    started,
  )
  .must(
    'QMP-RUN-23',
    'info status of the human monitor tells the state',
    async (t) => {
      const starts: readonly (readonly [StartOptions, string])[] = [
        [{ paused: true }, 'VM status: paused (prelaunch)\r\n'],
        [{ incoming: 'defer' }, 'VM status: paused (inmigrate)\r\n'],
      ];
      for (const [options, text] of starts) {
        const session = await own(t, options);
        const reply = await session.command('human-monitor-command', { 'command-line': 'info status' });
        t.equal(t.succeeded(reply), text, 'info status');
      }
      const session = await t.session({ condition: 'worn' });
      for (const [command, text] of [
        ['cont', 'VM status: running\r\n'],
        ['stop', 'VM status: paused\r\n'],
        ['cont', 'VM status: running\r\n'],
      ] as const) {
        await session.command(command);
        const reply = await session.command('human-monitor-command', { 'command-line': 'info status' });
        t.equal(t.succeeded(reply), text, `info status after ${command}`);
      }
    },
    { needs: { abilities: ['start', 'incoming'], commands: ['human-monitor-command'] } },
  )
  .must(
    'QMP-RUN-24',
    'in preconfig only a few commands are allowed',
    async (t) => {
      const session = await own(t, { extra: ['--preconfig'] });
      t.equal(await status(t, session), 'preconfig', 'the state');
      const names = [...(t.facts.commands ?? [])].filter((name) => !allowed.has(name));
      const text = names.map((execute, id) => JSON.stringify({ execute, id })).join('');
      t.sequence(
        await session.exchange(text, { deadline: 15000 }),
        names.map((name, id) => faulty(t.dialect.protocol.preconfigError(name), { id })),
      );
    },
    { needs: { ...several, commands: ['x-exit-preconfig'], unless: preconfigState } },
  )
  .must(
    'QMP-RUN-25',
    'x-exit-preconfig resets and starts the guest',
    async (t) => {
      const session = await own(t, { extra: ['--preconfig'] });
      const mark = session.mark();
      session.post('x-exit-preconfig', undefined, { id: 1 });
      await session.event('RESUME', { since: mark });
      const came = await session.fence(mark);
      const known = t.facts.dialectNote === undefined;
      const resets = known ? t.dialect.protocol.exitPreconfigResets : t.eventNames(came).includes('RESET');
      t.sequence(came, [done({}, { id: 1 }), ...(resets ? [event('RESET')] : []), event('RESUME')]);
      t.equal(await status(t, session), 'running', 'the state');
    },
    { needs: { ...several, commands: ['x-exit-preconfig'], unless: preconfigState } },
  )
  .must(
    'QMP-D-60',
    'with --preconfig the state is prelaunch, and migration commands are refused',
    async (t) => {
      const session = await own(t, { extra: ['--preconfig'] });
      t.equal(await status(t, session), 'prelaunch', 'the state');
      for (const name of ['stop', 'cont', 'system_reset', 'query-migrate', 'migrate_cancel']) {
        t.failed(await session.command(name), 'GenericError', t.dialect.protocol.preconfigError(name), name);
      }
      t.succeeded(await session.command('x-exit-preconfig'), 'x-exit-preconfig');
      t.failed(await session.command('x-exit-preconfig'), 'GenericError', t.dialect.protocol.exitPreconfigError);
      t.succeeded(await session.command('query-migrate'), 'query-migrate afterwards');
    },
    { needs: { ...several, commands: ['x-exit-preconfig'], unless: preconfigGate }, tags: ['QMP-D-61'] },
  )
  .must(
    'QMP-D-60.quit',
    'quit is allowed there',
    async (t) => {
      const instance = await t.start({ extra: ['--preconfig'] });
      const session = await t.session({ to: instance });
      session.post('quit');
      await session.eof();
      t.equal((await instance.exited(5000)).code, 0, 'exit status');
    },
    { needs: { ...several, commands: ['x-exit-preconfig'], unless: preconfigGate } },
  )
  .done();
