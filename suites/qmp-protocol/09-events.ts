/** qmp-protocol.md §9: events, their shape, their order against replies, and who gets them. */
import { anInteger, event, type Pattern } from '../../oracle/patterns.js';
import type { Trial } from '../../oracle/trial.js';
import { isObject, type JsonObject, type JsonValue } from '../../protocol/json.js';
import type { Received } from '../../protocol/message.js';
import type { Session } from '../../protocol/session.js';
import { ChapterBuilder, type Needs } from '../requirement.js';
import { stampedWithin } from '../stamps.js';
import { done } from './shapes.js';
import { onTwoMonitors, several } from './two-monitors.js';

const started = { needs: { abilities: ['start'] } } as const;
const exits = { needs: { abilities: ['start', 'exit'] } } as const;
/** Monitors without a guest have no event of its end. */
const announcesShutdown: Needs = {
  ...exits.needs,
  unless: ({ schema }) => (schema.events.has('SHUTDOWN') ? undefined : 'no event SHUTDOWN'),
};

/** Sends one command by name and gives back all that came of it, up to a fence. */
async function outcome(session: Session, execute: string): Promise<Received[]> {
  return session.exchange(JSON.stringify({ execute, id: execute }));
}

const reply = (execute: string): Pattern => done({}, { id: execute });

/** `SHUTDOWN` and `RESET` tell who caused them. */
function caused(t: Trial, name: string, reason: string): Pattern {
  return event(name, { guest: false, ...(t.dialect.protocol.reasonInEvents ? { reason } : {}) });
}

/** The reply before the event or after it, as the dialect has it. */
function ordered(t: Trial, answer: Pattern, happened: Pattern): Pattern[] {
  return t.dialect.protocol.requestsAct === 'after-reply' ? [answer, happened] : [happened, answer];
}

const dataOf = (message: Received | undefined): JsonValue | undefined =>
  isObject(message?.value) ? message.value.data : undefined;
const stampOf = (message: Received | undefined): JsonValue | undefined =>
  isObject(message?.value) ? message.value.timestamp : undefined;

export const events = new ChapterBuilder(['QMP protocol', '9 Events'], 'qmp-protocol.md §9')
  .must(
    'QMP-EVT-01',
    'an event has event and timestamp, data only if there is some, and no id',
    async (t) => {
      const session = await t.session();
      await session.command('stop');
      await session.command('cont');
      const stop = await session.event('STOP');
      const resume = await session.event('RESUME');
      t.members(stop.value, ['event', 'timestamp'], [], 'STOP');
      t.members(resume.value, ['event', 'timestamp'], [], 'RESUME');
      await session.command('system_reset');
      const reset = await session.event('RESET');
      t.members(reset.value, ['event', 'timestamp', 'data'], [], 'RESET');
      t.members(
        dataOf(reset),
        t.dialect.protocol.reasonInEvents ? ['guest', 'reason'] : ['guest'],
        [],
        'data of RESET',
      );
    },
    { ...started, tags: ['QMP-D-43'] },
  )
  .must(
    'QMP-EVT-02',
    'timestamp has the seconds of the epoch and microseconds, taken when it happens',
    async (t) => {
      const session = await t.session();
      let last = 0;
      // Two events, one after the reply to the other: a clock that stands is right once.
      for (const [command, name] of [
        ['stop', 'STOP'],
        ['cont', 'RESUME'],
      ] as const) {
        // A clock may count milliseconds only.
        while (Date.now() < last + 10) await session.fence();
        const before = Date.now();
        await session.command(command);
        const after = Date.now();
        const event = await session.event(name);
        const stamp = stampOf(event);
        t.members(stamp, ['seconds', 'microseconds'], [], 'timestamp');
        const { seconds, microseconds } = stamp as JsonObject;
        t.equal(seconds, anInteger, 'seconds');
        t.equal(
          microseconds,
          {
            words: 'an integer from 0 to 999999',
            holds: (v) => Number.isInteger(v) && Number(v) >= 0 && Number(v) < 1e6,
          },
          'microseconds',
        );
        const raised = stampedWithin(t, event.value, before, after);
        t.check(raised > last, 'a time after that of the event before', `${raised} ms`);
        last = raised;
      }
    },
    { needs: { abilities: ['start', 'local'] } },
  )
  .must(
    'QMP-EVT-04',
    'an event goes to every negotiated monitor, with the same timestamp',
    async (t) => {
      const { first, second } = await onTwoMonitors(t);
      for (const [name, command] of [
        ['STOP', 'stop'],
        ['RESUME', 'cont'],
        ['RESET', 'system_reset'],
      ] as const) {
        await first.command(command);
        const one = await first.event(name);
        const other = await second.event(name);
        t.same(other.value, one.value, `${name} on the other monitor`);
      }
      t.check(
        (await second.fence(1)).length === 4,
        'its own reply and three events on the other monitor',
        second.log.at(-1),
      );
    },
    several,
  )
  .must(
    'QMP-EVT-05',
    'nothing is kept for a monitor that is disconnected',
    async (t) => {
      const { instance, first, second: other } = await onTwoMonitors(t);
      await first.fence();
      first.close();
      // The next client is greeted when the monitor has noticed that the first one is gone; it only negotiates later.
      const again = await t.connect({ to: instance });
      await other.command('stop');
      await other.command('cont');
      await other.event('RESUME');
      const mark = again.mark();
      t.succeeded(await again.command('qmp_capabilities'));
      t.check((await again.fence(mark)).length === 1, 'only the reply to qmp_capabilities', again.log[mark]);
    },
    several,
  )
  .must(
    'QMP-EVT-06',
    'events and replies form one ordered stream, each message whole',
    async (t) => {
      const { first, second } = await onTwoMonitors(t);
      const mark = second.mark();
      for (const long of ['query-qmp-schema', 'query-commands']) {
        second.post(long);
        await first.command('stop');
        await first.command('cont');
      }
      const all = await second.take(mark, 6, 'two replies and four events');
      const names = t.eventNames(all);
      t.check(names.join() === Array(2).fill('STOP,RESUME').join(), 'STOP and RESUME in turn', names.join());
      t.check(
        all.filter((message) => message.kind === 'success').length === 2,
        'two replies',
        `${all.length} messages`,
      );
      t.silent(await second.fence(), 'after them');
    },
    several,
  )
  .must(
    'QMP-EVT-07',
    'stop of a running guest: the event, then the reply',
    async (t) => {
      const session = await t.session();
      t.sequence(await outcome(session, 'stop'), [event('STOP'), reply('stop')]);
    },
    started,
  )
  .must(
    'QMP-EVT-08',
    'cont of a stopped guest: the event, then the reply',
    async (t) => {
      const session = await t.session();
      await session.command('stop');
      t.sequence(await outcome(session, 'cont'), [event('RESUME'), reply('cont')]);
    },
    started,
  )
  .must(
    'QMP-EVT-09',
    'stop of a stopped guest and cont of a running one have no event',
    async (t) => {
      const session = await t.session();
      t.sequence(await outcome(session, 'cont'), [reply('cont')]);
      await session.command('stop');
      t.sequence(await outcome(session, 'stop'), [reply('stop')]);
    },
    started,
  )
  .must(
    'QMP-EVT-10',
    'system_reset: reply and RESET, in the order of the dialect',
    async (t) => {
      const session = await t.session();
      const happened = caused(t, 'RESET', 'host-qmp-system-reset');
      const mark = session.mark();
      session.post('system_reset', undefined, { id: 'system_reset' });
      await session.event('RESET', { since: mark });
      await session.reply('system_reset', { since: mark });
      t.sequence(await session.fence(mark), ordered(t, reply('system_reset'), happened));
    },
    { ...started, tags: ['QMP-D-42', 'QMP-D-43'] },
  )
  .must(
    'QMP-EVT-10.pipelined',
    'RESET precedes the reply to the next command',
    async (t) => {
      const session = await t.session();
      const mark = session.mark();
      // In one write, so that the second one waits already.
      await session.sendBytes('{"execute":"system_reset","id":1}{"execute":"query-status","id":2}');
      await session.reply(2, { since: mark });
      const expected = ordered(t, done({}, { id: 1 }), event('RESET'));
      t.sequence(await session.take(mark, 3, 'three messages'), [...expected, done(undefined, { id: 2 })]);
    },
    { ...started, tags: ['QMP-D-42'] },
  )
  .must(
    'QMP-EVT-11',
    'system_powerdown: reply and POWERDOWN, in the order of the dialect',
    async (t) => {
      const session = await t.session({ condition: 'worn' });
      const mark = session.mark();
      session.post('system_powerdown', undefined, { id: 'system_powerdown' });
      await session.event('POWERDOWN', { since: mark });
      await session.reply('system_powerdown', { since: mark });
      t.sequence(await session.fence(mark), ordered(t, reply('system_powerdown'), event('POWERDOWN')));
      t.equal(dataOf(await session.event('POWERDOWN')) ?? 'none', 'none', 'data of POWERDOWN');
    },
    { needs: { abilities: ['start'], commands: ['system_powerdown'] }, tags: ['QMP-D-42'] },
  )
  .must(
    'QMP-EVT-12',
    'quit: reply and SHUTDOWN in the order of the dialect, end of file, exit status 0',
    async (t) => {
      const instance = await t.start({}, 'source', 'worn');
      const session = await t.session({ to: instance });
      const mark = session.mark();
      session.post('quit', undefined, { id: 'quit' });
      await session.eof();
      t.sequence(session.since(mark), ordered(t, reply('quit'), caused(t, 'SHUTDOWN', 'host-qmp-quit')));
      const { code } = await instance.exited(5000);
      t.equal(code, 0, 'exit status');
    },
    { needs: announcesShutdown, tags: ['QMP-D-42', 'QMP-D-43', 'QMP-BASE-10'] },
  )
  .must(
    'QMP-EVT-12.others',
    'on quit every other monitor gets SHUTDOWN, then end of file',
    async (t) => {
      const { first, second } = await onTwoMonitors(t);
      const mark = second.mark();
      first.post('quit');
      await second.eof();
      t.sequence(second.since(mark), [caused(t, 'SHUTDOWN', 'host-qmp-quit')]);
    },
    several,
  )
  .must(
    'QMP-EVT-13',
    'SIGTERM: SHUTDOWN, end of file, exit status 0',
    async (t) => {
      const instance = await t.start({}, 'source', 'worn');
      const session = await t.session({ to: instance });
      await session.fence();
      const mark = session.mark();
      instance.kill('SIGTERM');
      await session.eof();
      t.sequence(session.since(mark), [caused(t, 'SHUTDOWN', 'host-signal')]);
      t.equal((await instance.exited(5000)).code, 0, 'exit status');
    },
    { needs: announcesShutdown, tags: ['QMP-D-43'] },
  )
  .must(
    'QMP-EVT-14',
    'commands pipelined behind quit are not answered',
    async (t) => {
      const session = await t.session({ to: await t.start({}, 'source', 'worn') });
      const mark = session.mark();
      await session.sendBytes(
        '{"execute":"quit","id":1}{"execute":"query-status","id":2}{"execute":"query-version","id":3}',
      );
      await session.eof();
      const answers = session.replies(mark);
      t.sequence(answers, [done({}, { id: 1 })]);
    },
    exits,
  )
  .must(
    'QMP-EVT-16',
    'a human monitor line causes the events of the command of the same name',
    async (t) => {
      const session = await t.session({ condition: 'worn' });
      const line = (text: string) =>
        `{"execute":"human-monitor-command","arguments":{"command-line":"${text}"},"id":1}`;
      t.sequence(await session.exchange(line('stop')), [event('STOP'), done('', { id: 1 })]);
      t.sequence(await session.exchange(line('cont')), [event('RESUME'), done('', { id: 1 })]);
    },
    { needs: { abilities: ['start'], commands: ['human-monitor-command'] } },
  )
  .must(
    'QMP-EVT-16.quit',
    'quit of the human monitor ends the process as quit does',
    async (t) => {
      const session = await t.session({ to: await t.start({}, 'source', 'worn') });
      const mark = session.mark();
      session.post('human-monitor-command', { 'command-line': 'quit' }, { id: 1 });
      await session.eof();
      const answer = done({ words: 'a string', holds: (value) => typeof value === 'string' }, { id: 1 });
      t.sequence(session.since(mark), ordered(t, answer, event('SHUTDOWN')));
    },
    { needs: { abilities: ['start', 'exit'], commands: ['human-monitor-command'] } },
  )
  .must(
    'QMP-EVT-33',
    'STOP, RESUME and RESET are not rate-limited',
    async (t) => {
      const session = await t.session();
      const mark = session.mark();
      for (let round = 0; round < 6; round++) {
        session.post('stop');
        session.post('cont');
        session.post('system_reset');
      }
      const names = t.eventNames(await session.fence(mark));
      t.check(
        names.join() === Array(6).fill('STOP,RESUME,RESET').join(),
        'STOP, RESUME, RESET six times',
        names.join(),
      );
    },
    started,
  )
  .done();
