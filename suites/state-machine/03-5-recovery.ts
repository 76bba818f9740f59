/** state-machine.md §3.5: a source whose postcopy has lost its channel. */

import type { Trial } from '../../oracle/trial.js';
import { ReturnPathWriter } from '../../reference/stream/return-path-writer.js';
import type { PeerBehaviour } from '../../targets/scenario.js';
import { unlessExact } from '../commands/dialect-fit.js';
import { ChapterBuilder } from '../requirement.js';
import { awaitOrDefect, staysStopped } from './defects.js';
import { hurry, inPostcopy, pausedPostcopy, pauseNeeds, postcopyNeeds } from './postcopy.js';
import { channel, type Source } from './source.js';
import { eventsOf, tells } from './story.js';
import { cannotCancelPostcopy, inProgress } from './texts.js';

/** Plot word of the state that comes before the connection in some releases. */
const connecting = (t: Trial): string => (t.dialect.migration.recoverSetup ? 'postcopy-recover-setup' : '');

const resume = (one: Source, uri: string) => one.session.command('migrate', { uri, resume: true });

/** Resumes on the channel that the migration had, which goes on where it broke off. */
async function resumes(t: Trial, one: Source): Promise<void> {
  t.equal(t.succeeded(await resume(one, one.peer.uri), 'resume'), {}, 'resume');
}

/** A source in postcopy-recover: its peer reads and keeps its answers to itself. */
async function recovering(t: Trial): Promise<Source> {
  const one = await pausedPostcopy(t, 'silent');
  one.turn();
  await resumes(t, one);
  await one.until('postcopy-recover');
  await one.peer.until('connected', one.session.deadline, 2);
  return one;
}

/** Ends a migration that goes on; the baseline may have ended it by now, as it sends the rest without a limit. */
async function ends(one: Source, plot: string): Promise<void> {
  await hurry(one);
  await one.until('completed');
  await one.runs('postmigrate');
  await one.emits(`${plot} completed`);
}

/** The first connection is gone, and one to another peer does not come about. */
async function elsewhere(t: Trial, one: Source, behaviour: PeerBehaviour) {
  return channel(t, one.instance, behaviour, { name: 'elsewhere' });
}

export const recovery = new ChapterBuilder(['State machine', '3.5 Pause and recovery'], 'state-machine.md §3.5', {
  ...postcopyNeeds,
  commands: [...postcopyNeeds.commands, ...pauseNeeds.commands],
  members: pauseNeeds.members,
  unless: unlessExact,
})
  .must('MIG-SM-O70', 'a resume with a bad URI is refused and leaves the migration paused', async (t) => {
    const one = await pausedPostcopy(t);
    one.turn();
    const { unknownScheme } = t.dialect.migration;
    t.failed(await resume(one, 'qmpspec-none:1'), 'GenericError', unknownScheme('qmpspec-none:1'));
    await one.tells('✗migrate');
    await one.statusIs('postcopy-paused');
    await one.runStateIs('finish-migrate');
  })
  .must('MIG-SM-O71', 'a resume is answered before it is connected', async (t) => {
    const one = await pausedPostcopy(t);
    const full = await elsewhere(t, one, 'full');
    one.turn();
    t.equal(t.succeeded(await resume(one, full.uri)), {}, 'resume');
    await one.statusIs(t.dialect.migration.recoverSetup ? 'postcopy-recover-setup' : 'postcopy-paused');
    await one.tells(`${connecting(t)} ↵migrate`);
    await one.runStateIs('finish-migrate');
  })
  .must(
    'MIG-SM-O72',
    'a resume whose connection fails leaves the migration paused, and another one works',
    async (t) => {
      const one = await pausedPostcopy(t);
      one.turn();
      t.equal(t.succeeded(await resume(one, `unix:${one.instance.scratch}/absent.sock`)), {}, 'resume');
      // Where nothing tells of the failure, the next resume does: it is accepted only when this one is over.
      if (t.dialect.migration.recoverSetup) await one.until('postcopy-paused');
      tells(t, eventsOf(await one.story()), t.dialect.migration.recoverSetup ? `${connecting(t)} postcopy-paused` : '');
      await one.statusIs('postcopy-paused');
      one.turn();
      const came = await awaitOrDefect(t, 'MIG-DEF-09', 'postcopy-active again', async () => {
        await resumes(t, one);
        await one.until('postcopy-active');
      });
      if (came) await ends(one, `${connecting(t)} postcopy-recover postcopy-active`);
    },
  )
  .must('MIG-SM-O73', 'once connected the source is in postcopy-recover and asks what has arrived', async (t) => {
    const one = await recovering(t);
    await one.emits(`${connecting(t)} postcopy-recover`);
    await one.statusIs('postcopy-recover');
    await one.runStateIs('finish-migrate');
    t.failed(await one.session.command('migrate', { uri: one.peer.uri }), 'GenericError', inProgress);
    t.check(one.peer.connections === 2, 'two connections', `${one.peer.connections}`);
  })
  .must('MIG-SM-O74', 'the answers of the destination let the postcopy go on', async (t) => {
    const one = await recovering(t);
    one.turn();
    await one.peer.release();
    await one.until('postcopy-active');
    await ends(one, 'postcopy-active');
  })
  .must('MIG-SM-O74.twice', 'pause and recovery may be repeated', async (t) => {
    const one = await pausedPostcopy(t);
    const plot = `${connecting(t)} postcopy-recover postcopy-active`;
    // Where the rest is sent without a limit, there may be nothing left to pause a second time.
    for (let turns = t.dialect.name === '3.0' ? 0 : 1; turns > 0; turns--) {
      one.turn();
      await resumes(t, one);
      await one.until('postcopy-active');
      await one.does('migrate-pause');
      await one.until('postcopy-paused');
      await one.emits(`${plot} postcopy-paused`);
    }
    one.turn();
    await resumes(t, one);
    await one.until('postcopy-active');
    await hurry(one);
    const came = await awaitOrDefect(t, 'MIG-DEF-24', 'event MIGRATION completed', (deadline) =>
      one.untilWithin(deadline === undefined ? undefined : deadline * 10, 'completed'),
    );
    if (!came) return;
    await one.runs('postmigrate');
    await one.emits(`${plot} completed`);
  })
  .must('MIG-SM-O75', 'a channel that is lost in postcopy-recover pauses the migration again', async (t) => {
    const one = await recovering(t);
    one.turn();
    one.peer.cut();
    const came = await awaitOrDefect(t, 'MIG-DEF-10', 'event MIGRATION postcopy-paused', (deadline) =>
      one.untilWithin(deadline, 'postcopy-paused'),
    );
    if (!came) return;
    await one.emits('postcopy-paused');
    await one.statusIs('postcopy-paused');
    await one.runStateIs('finish-migrate');
  })
  .must('MIG-SM-O75.answer', 'a wrong answer in postcopy-recover pauses the migration again', async (t) => {
    const one = await recovering(t);
    one.turn();
    one.peer.message(new ReturnPathWriter().resumeAck(2));
    const came = await awaitOrDefect(t, 'MIG-DEF-10', 'event MIGRATION postcopy-paused', (deadline) =>
      one.untilWithin(deadline, 'postcopy-paused'),
    );
    if (came) await one.emits('postcopy-paused');
  })
  .must('MIG-SM-O76', 'migrate-pause in postcopy-recover is refused, or pauses in later releases', async (t) => {
    const one = await recovering(t);
    one.turn();
    const reply = await one.session.command('migrate-pause');
    if (t.dialect.migration.pauseInRecover) {
      t.equal(t.succeeded(reply), {}, 'migrate-pause');
      await one.until('postcopy-paused');
      return one.emits('postcopy-paused');
    }
    t.failed(reply, 'GenericError', 'migrate-pause is currently only supported during postcopy-active state');
    await one.tells('✗migrate-pause');
    await one.statusIs('postcopy-recover');
  })
  .must('MIG-SM-C10', 'a cancel in postcopy-active stops the source for good, or is refused', async (t) => {
    const one = await pausedOrActive(t, 'active');
    if (t.dialect.migration.cancelInPostcopyRefused) return refuses(t, one, 'postcopy-active');
    await one.does('migrate_cancel');
    await one.until('cancelled');
    if (!(await staysStopped(t, one))) return;
    await one.emits('cancelling cancelled');
    await one.statusIs('cancelled');
  })
  .must('MIG-SM-C11', 'a cancel in postcopy-paused is refused', async (t) => {
    const one = await pausedOrActive(t, 'paused');
    await refuses(t, one, 'postcopy-paused');
  })
  .must('MIG-SM-C11.recover', 'a cancel in postcopy-recover is refused', async (t) => {
    const one = await recovering(t);
    one.turn();
    await refuses(t, one, 'postcopy-recover');
  })
  .done();

async function pausedOrActive(t: Trial, which: 'paused' | 'active'): Promise<Source> {
  const one = which === 'paused' ? await pausedPostcopy(t) : await inPostcopy(t);
  one.turn();
  return one;
}

/** The cancel is refused and changes nothing. */
async function refuses(t: Trial, one: Source, status: string): Promise<void> {
  const reply = await one.session.command('migrate_cancel');
  if (reply.kind === 'success') return t.knownDefect('MIG-DEF-02', 'a refusal', reply, status);
  t.failed(reply, 'GenericError', cannotCancelPostcopy, status);
  await one.tells('✗migrate_cancel', status);
  await one.statusIs(status);
}
