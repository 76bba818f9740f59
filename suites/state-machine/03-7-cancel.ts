/** state-machine.md §3.7: migrate_cancel in every state. */
import type { Trial } from '../../oracle/trial.js';
import type { JsonObject } from '../../protocol/json.js';
import { otherMemory } from '../../targets/machine.js';
import { unlessExact } from '../commands/dialect-fit.js';
import { unlessMultifd } from '../multifd/channels.js';
import { ChapterBuilder } from '../requirement.js';
import { Actor } from './actor.js';
import { cancel, cancelled, settled } from './cancel.js';
import { migrateTo, slowReader, startsPrograms } from './exec.js';
import { active, finalWait, paused, peerNeeds, type Source, source } from './source.js';
import { device, eventsOf, precedes, tells } from './story.js';

const pauses = { capabilities: ['pause-before-switchover'] } as const;
const returns = { capabilities: ['return-path'] } as const;
/** How often a race is run. */
const races = 4;

/** Run state of a guest that was stopped before its migration was cancelled in the switch-over. */
const stopped = (t: Trial, former: string) =>
  t.dialect.migration.stoppedGuestAfterFailure === 'former' ? former : 'postmigrate';

/** A cancel that must neither do nor show anything. */
async function idles(t: Trial, one: Source, status: string): Promise<void> {
  const before = t.succeeded(await one.session.command('query-status'));
  one.turn();
  await cancel(one);
  await one.tells('↵migrate_cancel', status);
  await one.statusIs(status);
  t.same(t.succeeded(await one.session.command('query-status')), before, `run state in ${status}`);
}

/** After a migration that came to nothing another one works. */
async function migratesAgain(t: Trial, one: Source): Promise<void> {
  await one.does('migrate-set-parameters', { 'max-bandwidth': 0 });
  one.turn();
  await one.migrate();
  await one.until('completed');
  await one.runs('postmigrate');
  await one.emits(`setup P active P* S ${device(t)} P completed`, 'another migration');
}

export const cancels = new ChapterBuilder(['State machine', '3.7 Cancel'], 'state-machine.md §3.7', peerNeeds)
  .must('MIG-SM-C01', 'cancel does and shows nothing where no migration runs', async (t) => {
    const one = await source(t, 'answer', { untouched: true });
    await idles(t, one, 'none');
    t.succeeded(await migrateTo(one.session, `unix:${one.instance.scratch}/absent.sock`));
    await one.until('failed');
    await idles(t, one, 'failed');
    one.turn();
    await one.migrate();
    await one.until('completed');
    await one.runs('postmigrate');
    await idles(t, one, 'completed');
  })
  .must('MIG-SM-C01.cancelled', 'cancel does and shows nothing after a cancelled migration', async (t) => {
    const one = await active(t);
    one.turn();
    await cancel(one);
    await one.until('cancelled');
    await idles(t, one, 'cancelled');
  })
  .must(
    'MIG-SM-C01.cancelling',
    'a second cancel changes nothing, and tells cancelling again in later releases',
    async (t) => {
      // More than the pipe holds: a source that has sent all would only wait for the end of the program.
      const one = await source(t, 'absent', { ram: 4 });
      const reader = slowReader(one.instance.scratch);
      const reply = await migrateTo(one.session, reader.uri);
      if (!startsPrograms(t, reply)) return;
      await one.until('active');
      one.turn();
      await cancel(one);
      // A source may have the means to end without its program.
      if ((await one.status()) !== 'cancelling') return;
      await cancel(one);
      await reader.release();
      await one.until('cancelled', 'failed');
      const cancellings = eventsOf(await one.story()).filter((word) => word === 'cancelling').length;
      const permitted = t.dialect.migration.cancelRepeats ? [1, 2] : [1];
      t.check(permitted.includes(cancellings), permitted.map(String), `${cancellings}`, 'events cancelling');
      await one.runStateIs('running');
    },
    { needs: { unless: unlessExact } },
  )
  .must(
    'MIG-SM-C02',
    'cancel while it connects leaves the guest alone, whether the connection comes about',
    async (t) => {
      const one = await source(t, 'full');
      await one.migrate();
      one.turn();
      await cancel(one);
      if (!t.dialect.migration.cancelInterruptsConnect) {
        await one.tells('cancelling ↵migrate_cancel');
        await one.statusIs('cancelling');
      }
      await one.peer.release();
      await one.until('cancelled');
      const words = await one.story();
      precedes(t, words, 'cancelling', '↵migrate_cancel');
      tells(
        t,
        eventsOf(words),
        t.dialect.migration.cancelInterruptsConnect ? 'cancelling cancelled P*' : 'cancelling P? cancelled',
      );
      await one.runStateIs('running');
      await one.statusIs('cancelled');
    },
    { needs: { unless: unlessExact } },
  )
  .must(
    'MIG-SM-C02.refused',
    'cancel while it connects ends when the connection is refused',
    async (t) => {
      const one = await source(t, 'full');
      await one.migrate();
      one.turn();
      await cancel(one);
      one.peer.cut();
      await one.until('cancelled');
      await one.emits('cancelling cancelled');
      await one.runStateIs('running');
      await one.statusIs('cancelled');
    },
    { needs: { unless: unlessExact } },
  )
  .must('MIG-SM-C03', 'cancel at any moment from the beginning ends in one permitted way', async (t) => {
    const one = await source(t, 'answer');
    for (let race = races - 1; race >= 0; race--) {
      one.turn();
      const { session } = one;
      const id = session.post('migrate', { uri: one.peer.uri });
      if (race % 2 === 1) await session.reply(id);
      if (race === 3) await one.until('active');
      session.post('migrate_cancel');
      t.succeeded(await session.reply(id), 'migrate');
      const end = await settled(t, one, `race ${race + 1}`);
      if (end === 'completed') await one.does('cont');
      // Where a cancel does not wait for the connection, another migrate has to.
      if (t.dialect.migration.cancelInterruptsConnect && !(await one.story()).includes('active')) return;
    }
  })
  .must('MIG-SM-C04', 'cancel while memory is sent slowly ends in cancelled, with the guest untouched', async (t) => {
    const one = await active(t, { ram: 1 });
    one.turn();
    await cancel(one);
    await cancelled(t, one, 'P* cancelled');
    await one.runStateIs('running');
    await one.statusIs('cancelled');
    await one.peer.until('closed', one.session.deadline);
    await migratesAgain(t, one);
  })
  .must(
    'MIG-SM-C04.multifd',
    'cancel ends a migration with data channels as it ends any other',
    async (t) => {
      const one = await active(t, { ram: 1, capabilities: [t.dialect.migration.multifd.capability] });
      one.turn();
      await cancel(one);
      await cancelled(t, one, 'P* cancelled');
      await one.runStateIs('running');
      await one.statusIs('cancelled');
    },
    { needs: { unless: unlessMultifd } },
  )
  .must(
    'MIG-SM-C04.stalled',
    'cancel frees a source whose peer does not read',
    async (t) => {
      const one = await source(t, 'stall', { ram: 4 });
      await one.migrate();
      await one.until('active');
      one.turn();
      await cancel(one);
      await cancelled(t, one, 'P* cancelled');
      await one.runStateIs('running');
    },
    // Memory that is all zeros fits into the buffers of a socket.
    { needs: { unless: otherMemory } },
  )
  .must(
    'MIG-SM-C04.monitor',
    'every monitor shows the same migration, may set parameters of it, and may cancel it',
    async (t) => {
      const one = await active(t, { start: { monitors: [{ transport: 'unix' }, { transport: 'unix' }] } });
      const other = new Actor(t, one.instance, await t.session({ to: one.instance, monitor: 1 }));
      await other.statusIs('active');
      await other.does('migrate-set-parameters', { 'downtime-limit': 77 });
      const shown = t.succeeded(await one.session.command('query-migrate-parameters')) as JsonObject;
      t.equal(shown['downtime-limit'], 77, 'what the other monitor has set');
      await other.does('migrate_cancel');
      for (const actor of [one, other]) {
        const end = await actor.until('cancelled', 'failed');
        if (end === 'failed') t.knownDefect('MIG-DEF-01', 'cancelled', 'failed');
        await actor.statusIs(end);
      }
    },
    { needs: { abilities: ['start', 'arguments', 'local'] } },
  )
  .must('MIG-SM-C04.stopped', 'a stopped guest stays as it is when its migration is cancelled', async (t) => {
    const one = await active(t, { start: { paused: true } });
    one.turn();
    await cancel(one);
    await cancelled(t, one, 'P* cancelled');
    await one.runStateIs('prelaunch');
  })
  .must(
    'MIG-SM-C06',
    'cancel around the switch-over, without a return path, ends in one permitted way',
    async (t) => {
      const one = await source(t, 'answer');
      for (let race = 0; race < races; race++) {
        one.turn();
        await one.migrate();
        await one.session.event('STOP', { since: one.session.mark() - one.messages.length });
        one.session.post('migrate_cancel');
        await one.session.fence();
        if ((await settled(t, one, `race ${race + 1}`)) === 'completed') await one.does('cont');
      }
    },
    { tags: ['MIG-SM-C05'] },
  )
  .must('MIG-SM-C05', 'cancel as the source goes into the switch-over leaves the guest running', async (t) => {
    const one = await source(t, 'answer', { ram: 1, parameters: { 'max-bandwidth': 8 << 20 } });
    for (let race = 0; race < races; race++) {
      one.turn();
      await one.migrate();
      await one.until('active');
      await one.does('migrate-set-parameters', { 'max-bandwidth': 0 });
      one.session.post('migrate_cancel');
      await one.session.fence();
      if ((await settled(t, one, `race ${race + 1}`)) === 'completed') await one.does('cont');
    }
  })
  .must(
    'MIG-SM-C07',
    'cancel while the last message is waited for lets the guest go on',
    async (t) => {
      const one = await finalWait(t);
      one.turn();
      await cancel(one);
      await finalEnd(t, one, true);
      await one.runs('running');
    },
    { needs: returns },
  )
  .must(
    'MIG-SM-C07.device',
    'cancel in device, while the last message is waited for, lets the guest go on',
    async (t) => {
      const one = await source(t, 'silent', { capabilities: ['return-path', 'pause-before-switchover'] });
      await one.migrate();
      await one.until('pre-switchover');
      await one.does('migrate-continue', { state: 'pre-switchover' });
      await one.until('device');
      await one.peer.until('end-of-stream', one.session.deadline);
      await one.session.fence();
      await one.statusIs('device');
      one.turn();
      await cancel(one);
      await finalEnd(t, one, true);
      await one.runs('running');
    },
    { needs: { capabilities: ['return-path', 'pause-before-switchover'] } },
  )
  .must(
    'MIG-SM-C07.stopped',
    'cancel while the last message is waited for leaves a stopped guest stopped',
    async (t) => {
      const one = await finalWait(t, { start: { paused: true } });
      one.turn();
      await cancel(one);
      await finalEnd(t, one, false);
      await one.runs(stopped(t, 'prelaunch'));
    },
    { needs: { ...returns, unless: unlessExact } },
  )
  .must(
    'MIG-SM-C08',
    'cancel in pre-switchover lets the guest go on',
    async (t) => {
      const one = await paused(t);
      one.turn();
      await cancel(one);
      await cancelled(t, one, 'device? R cancelled');
      await one.runs('running');
      await one.statusIs('cancelled');
    },
    { needs: pauses },
  )
  .must(
    'MIG-SM-C08.stopped',
    'cancel in pre-switchover leaves a stopped guest stopped',
    async (t) => {
      const one = await paused(t, 'answer', { start: { paused: true } });
      one.turn();
      await cancel(one);
      await cancelled(t, one, 'device? cancelled');
      await one.runs(stopped(t, 'prelaunch'));
      one.turn();
      await one.does('cont');
      await one.tells('R ↵cont');
    },
    { needs: { ...pauses, unless: unlessExact } },
  )
  .must(
    'MIG-SM-C09',
    'continue and cancel sent together end in one permitted way',
    async (t) => {
      const one = await source(t, 'answer', pauses);
      for (let race = 0; race < races; race++) {
        const words = `race ${race + 1}`;
        one.turn();
        await one.migrate();
        await one.until('pre-switchover');
        const { session } = one;
        const ids = [session.post('migrate-continue', { state: 'pre-switchover' }), session.post('migrate_cancel')];
        for (const id of ids) t.succeeded(await session.reply(id), words);
        if ((await settled(t, one, words)) === 'completed') await one.does('cont');
      }
    },
    { needs: pauses },
  )
  .must('MIG-SM-C12', 'a program that does not read delays the end of a cancel, and nothing else', async (t) => {
    const one = await source(t, 'absent', { ram: 4 });
    const reader = slowReader(one.instance.scratch);
    const reply = await migrateTo(one.session, reader.uri);
    if (!startsPrograms(t, reply)) return;
    await one.until('active');
    one.turn();
    await cancel(one);
    await reader.release();
    await cancelled(t, one, 'P* cancelled');
    await one.runStateIs('running');
  })
  .done();

/** In the final wait a later release may also tell the end as a failure, and without the event cancelling. */
async function finalEnd(t: Trial, one: Source, running: boolean): Promise<void> {
  const end = await one.until('cancelled', 'failed', 'completed');
  await one.session.fence();
  if (running && end !== 'completed') await one.runs('running');
  const resumes = running ? 'R' : '';
  const plots = [`cancelling ${resumes} cancelled`];
  if (t.dialect.migration.deviceAlways) plots.push(`cancelling? failed ${resumes}`, 'cancelling completed');
  await one.emits(plots);
  t.check((await one.story()).includes('↵migrate_cancel'), 'a reply', 'none');
}
