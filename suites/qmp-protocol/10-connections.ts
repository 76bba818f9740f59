/** qmp-protocol.md §10: connections, and several monitors of one process. */
import { Socket } from 'node:net';
import type { Trial } from '../../oracle/trial.js';
import { type Address, parseAddress } from '../../protocol/address.js';
import { ConnectError } from '../../protocol/errors.js';
import { Session } from '../../protocol/session.js';
import { look, switchOn } from '../commands/observe.js';
import { ChapterBuilder } from '../requirement.js';
import { peerNeeds, source } from '../state-machine/source.js';
import { clientAfter } from './next-client.js';
import { done } from './shapes.js';
import { expectingNegotiation } from './texts.js';
import { onTwoMonitors, several, twoMonitors } from './two-monitors.js';

const started = { needs: { abilities: ['start'] } } as const;

/** Another client of the monitor that serves `session`. */
async function rival(t: Trial, session: Session): Promise<Session> {
  const address: Address = parseAddress(session.address);
  return t.hears(await Session.connect(address, { transcript: t.transcript, endpoint: 'source' }));
}

export const connections = new ChapterBuilder(
  ['QMP protocol', '10 Connections and several monitors'],
  'qmp-protocol.md §10',
)
  .must(
    'QMP-CONN-01',
    'each monitor has its mode and its input for itself',
    async (t) => {
      const monitors = Array.from({ length: 4 }, () => ({ transport: 'unix' as const }));
      const instance = await t.start({ monitors });
      const sessions = [];
      for (const monitor of monitors.keys()) sessions.push(await t.connect({ to: instance, monitor }));
      const [half, other, third, waiting] = sessions as [Session, Session, Session, Session];
      for (const session of [half, other, third]) t.succeeded(await session.command('qmp_capabilities'));
      const mark = half.mark();
      await half.sendBytes('{"execute":"query-version",');
      await third.sendBytes('"abc');
      t.sequence(await other.exchange('{"execute":"query-version","id":1}'), [done(undefined, { id: 1 })]);
      t.failed(await waiting.command('query-version'), 'CommandNotFound', expectingNegotiation);
      await half.sendBytes('"id":2}');
      t.sequence(await half.take(mark, 1, 'the reply'), [done(undefined, { id: 2 })]);
    },
    several,
  )
  .must(
    'QMP-CONN-02',
    'a second client is not served while the first is there',
    async (t) => {
      const first = await t.session();
      const second = await rival(t, first);
      await second.sendBytes('{"execute":"qmp_capabilities","id":"b1"}{"execute":"query-version","id":"b2"}');
      for (let round = 0; round < 5; round++) t.silent(await first.fence(), 'to the first client');
      t.check(second.log.length === 0, 'nothing to the second client', second.log[0]);
      first.close();
      const got = await second.take(0, 3, 'a greeting and two replies');
      t.check(got[0]?.kind === 'greeting', 'a greeting first', got[0]);
      t.sequence(got.slice(1), [done({}, { id: 'b1' }), done(undefined, { id: 'b2' })]);
      second.close();
    },
    { needs: { abilities: ['reconnect'] }, tags: ['QMP-CONN-03'] },
  )
  .must(
    'QMP-CONN-05',
    'a message cut off by a disconnect leaves no trace',
    async (t) => {
      for (const text of [
        '{"execute":"sto',
        '{"execute":"stop","arguments":{',
        '"',
        '[[[[',
        '{"execute":"query-version"',
      ]) {
        const first = await t.session();
        await first.fence();
        await first.sendBytes(text);
        first.close();
        const second = await t.session();
        t.sequence(await second.exchange('{"execute":"query-version","id":1}'), [done(undefined, { id: 1 })]);
        second.close();
      }
    },
    { needs: { abilities: ['reconnect'] } },
  )
  .must(
    'QMP-CONN-06',
    'a command that has been read runs to its end although its client is gone',
    async (t) => {
      const { first: session, second: other } = await onTwoMonitors(t);
      await session.fence();
      session.post('stop');
      // The event on the other monitor shows that the command has begun; the client leaves without its reply.
      await other.event('STOP');
      session.close();
      const status = t.succeeded(await other.command('query-status'));
      t.check(JSON.stringify(status).includes('"running":false'), 'a stopped guest', JSON.stringify(status));
    },
    several,
  )
  .must(
    'QMP-CONN-07',
    'a fully answered session leaves nothing for the next one',
    async (t) => {
      for (let round = 0; round < 3; round++) {
        const session = await t.connect();
        t.check((await session.fence(0)).length === 1, 'the greeting alone before the first reply', session.log[1]);
        t.succeeded(await session.command('qmp_capabilities'));
        await session.exchange('{"execute":"query-commands"}{"execute":"nope"} []');
        session.close();
      }
    },
    { needs: { abilities: ['reconnect'] } },
  )
  .must(
    'QMP-CONN-08',
    'at most one stale reply of a session that was left early comes after the new greeting',
    async (t) => {
      const instance = await t.start();
      for (let round = 0; round < 3; round++) {
        const second = await clientAfter(t, instance, async () => {
          const first = await t.session({ to: instance });
          await first.fence();
          for (let i = 0; i < 4; i++) first.post('query-commands');
          await first.reply(first.post('query-version'));
          first.post('query-commands');
          first.close();
        });
        await second.fence();
        const own = second.since(0).filter((message) => message.kind !== 'greeting');
        const stale = second.log.filter((message) => message.stale && message.kind !== 'greeting');
        t.check(stale.length <= 1, 'at most one stale reply', `${stale.length} of them`);
        t.check(own.length === 2, 'one reply to each of two commands', own[2]);
        second.close();
      }
    },
    { ...started, tags: ['QMP-D-08'] },
  )
  .must(
    'QMP-CONN-09',
    'commands on several monitors at once are all answered, each on its own monitor',
    async (t) => {
      const { first, second } = await onTwoMonitors(t);
      const sessions = [first, second];
      const answers = await Promise.all(
        sessions.map((session, which) =>
          session.exchange(
            Array.from({ length: 20 }, (_, i) => `{"execute":"query-version","id":"${which}-${i}"}`).join(''),
          ),
        ),
      );
      for (const [which, got] of answers.entries()) {
        t.sequence(
          got,
          Array.from({ length: 20 }, (_, i) => done(undefined, { id: `${which}-${i}` })),
        );
      }
    },
    several,
  )
  .must(
    'QMP-CONN-09.state',
    'every monitor shows the same state of the process, whichever changed it',
    async (t) => {
      const one = await source(t, 'answer', { start: twoMonitors });
      const other = await t.session({ to: one.instance, monitor: 1 });
      const alike = async (when: string) => t.same(await look(t, other), await look(t, one.session), when);
      await alike('at first');
      await switchOn(t, other, 'auto-converge');
      t.succeeded(await one.session.command('migrate-set-parameters', { 'downtime-limit': 77 }));
      t.succeeded(await one.session.command('stop'));
      await alike('with settings of both, stopped');
      t.succeeded(await other.command('cont'));
      await alike('running');
      await one.migrate();
      await one.until('completed');
      await one.runs('postmigrate');
      await alike('behind a migration');
    },
    { needs: { ...peerNeeds, abilities: [...peerNeeds.abilities, 'arguments'] } },
  )
  .must(
    'QMP-CONN-10',
    'a destination whose stream is bad exits: its client sees end of file and nothing else',
    async (t) => {
      const instance = await t.start({ incoming: 'unix:in.sock' }, 'destination');
      const session = await t.session({ to: instance });
      await session.fence();
      const mark = session.mark();
      const path = `${instance.scratch}/in.sock`;
      const channel = new Socket().on('error', () => undefined).connect(path);
      channel.end('this is no migration stream, whatever else it may be: it has no magic number\n'.repeat(20));
      await session.eof();
      channel.destroy();
      t.silent(
        session.since(mark).filter((message) => message.kind !== 'event'),
        'a reply',
      );
      const names = t.eventNames(session.since(mark)).filter((name) => !name.startsWith('MIGRATION'));
      t.check(names.length === 0, 'no event but of migration', names.join());
      t.check((await instance.exited(5000)).code !== 0, 'an exit with an error', 'exit status 0');
    },
    { needs: { abilities: ['start', 'incoming', 'local'] } },
  )
  .info(
    'QMP-CONN-04',
    'a unix socket that serves a client keeps few others waiting',
    async (t) => {
      const first = await t.session({ to: await t.start() });
      const waiting: Session[] = [];
      try {
        for (let i = 0; i < 2; i++) waiting.push(await rival(t, first));
        t.check(waiting.length === 2, 'two clients that wait', 'fewer');
        t.silent(await first.fence(), 'to the first client');
      } catch (error) {
        if (!(error instanceof ConnectError)) throw error;
        t.check(false, 'two clients that wait', error.message);
      } finally {
        for (const session of waiting) session.close();
        // As long as it is served, those who gave up stay in the queue, and nobody else comes in.
        first.close();
      }
    },
    { needs: { abilities: ['start', 'reconnect'] } },
  )
  .done();
