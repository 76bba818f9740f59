/** state-machine.md §3.3: the guest stops, the rest is sent, the migration ends. */
import type { Trial } from '../../oracle/trial.js';
import { unlessExact } from '../commands/dialect-fit.js';
import { ChapterBuilder } from '../requirement.js';
import { awaitOrDefect } from './defects.js';
import { active, finalWait, paused, peerNeeds, type Source, slow, someRam, source } from './source.js';
import { device } from './story.js';
import { inProgress, notFinalized, nothingToResume } from './texts.js';

const going = { state: 'pre-switchover' } as const;

/** The run state of a stopped guest whose switch-over came to nothing. */
const stoppedState = (t: Trial, former: string): string =>
  t.dialect.migration.stoppedGuestAfterFailure === 'former' ? former : 'postmigrate';

/** `cont` is refused while the guest is stopped for the switch-over. */
async function refusesCont(t: Trial, one: Source): Promise<void> {
  const reply = await one.session.command('cont');
  if (reply.kind === 'success') return t.knownDefect('MIG-DEF-04', 'a refusal', reply, 'cont');
  t.failed(reply, 'GenericError', notFinalized, 'cont');
  await one.runStateIs('finish-migrate');
}

const builder = new ChapterBuilder(['State machine', '3.3 Switch-over'], 'state-machine.md §3.3', peerNeeds);
const { pauses, returns } = {
  pauses: { capabilities: ['pause-before-switchover'] },
  returns: { capabilities: ['return-path'] },
} as const;

export const switchover = builder
  .must(
    'MIG-SM-O30',
    'the switch-over stops a running guest with STOP, in run state finish-migrate',
    async (t) => {
      const one = await paused(t);
      await one.tells('setup ↵migrate P active P* S pre-switchover');
      await one.runStateIs('finish-migrate');
    },
    { needs: pauses },
  )
  .must(
    'MIG-SM-O30.stopped',
    'the switch-over of a stopped guest tells no STOP',
    async (t) => {
      const one = await paused(t, 'answer', { start: { paused: true } });
      await one.tells('setup ↵migrate P active P* pre-switchover');
      await one.runStateIs('finish-migrate');
    },
    { needs: pauses },
  )
  .must('MIG-SM-O31', 'without pause-before-switchover nothing is waited for', async (t) => {
    const one = await source(t, 'answer');
    await one.migrate();
    await one.until('completed');
    await one.runs('postmigrate');
    await one.tells(`setup ↵migrate P active P* S ${device(t)} P completed`);
  })
  .must(
    'MIG-SM-O32',
    'a continue that came before pre-switchover does not release it',
    async (t) => {
      const one = await source(t, 'full', { ...pauses, untouched: true });
      await one.does('migrate-continue', { state: 'none' });
      await one.migrate();
      await one.does('migrate-continue', { state: 'setup' });
      await one.peer.release();
      await one.until('pre-switchover');
      for (let turn = 0; turn < 20; turn++) await one.statusIs('pre-switchover');
      await one.runStateIs('finish-migrate');
      await one.emits('setup P active P* S pre-switchover');
    },
    { needs: pauses },
  )
  .must(
    'MIG-SM-O32.equal',
    'migrate-continue that names the present status succeeds and does nothing, whatever that is',
    async (t) => {
      const one = await active(t);
      one.turn();
      await one.does('migrate-continue', { state: 'active' });
      await one.statusIs('active');
      await one.runStateIs('running');
      await one.emits('P*');
      const whole = await source(t, 'answer');
      await whole.migrate();
      await whole.until('completed');
      await whole.runs('postmigrate');
      whole.turn();
      await whole.does('migrate-continue', { state: 'completed' });
      await whole.tells('↵migrate-continue');
    },
  )
  .must(
    'MIG-SM-O33',
    'migrate-continue lets the switch-over go on through device',
    async (t) => {
      const one = await paused(t);
      one.turn();
      await one.does('migrate-continue', going);
      await one.until('completed');
      await one.runs('postmigrate');
      await one.emits('device P completed');
    },
    { needs: pauses },
  )
  .must(
    'MIG-SM-O33.refused',
    'migrate-continue that names another state is refused and changes nothing',
    async (t) => {
      const one = await paused(t);
      one.turn();
      const text = 'Migration not in expected state: pre-switchover';
      for (const state of ['device', 'active', 'none']) {
        t.failed(await one.session.command('migrate-continue', { state }), 'GenericError', text, state);
      }
      const second = await one.session.command('migrate', { uri: one.peer.uri });
      t.failed(second, 'GenericError', inProgress);
      const resume = await one.session.command('migrate', { uri: one.peer.uri, resume: true });
      t.failed(resume, 'GenericError', nothingToResume);
      await one.emits('');
      await one.statusIs('pre-switchover');
    },
    { needs: pauses },
  )
  .must(
    'MIG-SM-O34',
    'a peer that goes in pre-switchover is noticed only after the continue',
    async (t) => {
      const one = await paused(t);
      one.turn();
      one.peer.cut();
      await one.peer.until('closed', one.session.deadline);
      await one.statusIs('pre-switchover');
      await one.tells('');
      await one.does('migrate-continue', going);
      await one.until('failed');
      await one.runs('running');
      await one.emits('device P? failed R');
    },
    { needs: pauses },
  )
  .must(
    'MIG-SM-O35',
    'the last pass is told with the guest stopped, and with a return path the end is waited for',
    async (t) => {
      const one = await finalWait(t);
      await one.statusIs(
        ...(device(t) === '' ? ['active'] : ['active', 'device'].slice(device(t) === 'device' ? 1 : 0)),
      );
      await one.runStateIs('finish-migrate');
      await one.tells(`setup ↵migrate P active P* S ${device(t)} P`);
      one.turn();
      await one.peer.release();
      await one.until('completed');
      await one.runs('postmigrate');
      await one.tells('completed');
    },
    { needs: returns },
  )
  .must('MIG-SM-O36', 'without a return path the migration is completed once all is written', async (t) => {
    const one = await source(t, 'silent');
    await one.migrate();
    await one.until('completed');
    await one.peer.until('end-of-stream', one.session.deadline);
    await one.runs('postmigrate');
    await one.tells(`setup ↵migrate P active P* S ${device(t)} P completed`);
    await one.statusIs('completed');
  })
  .must(
    'MIG-SM-O37',
    'a peer that says that all is well completes the migration',
    async (t) => {
      const one = await source(t, 'answer', returns);
      await one.migrate();
      await one.until('completed');
      await one.runs('postmigrate');
      await one.tells(`setup ↵migrate P active P* S ${device(t)} P completed`);
    },
    { needs: returns },
  )
  .must(
    'MIG-SM-O38',
    'a peer that reports an error fails the migration, and the guest goes on',
    async (t) => {
      const one = await source(t, 'error', returns);
      await one.migrate();
      await one.until('failed');
      await one.runs('running');
      await one.tells(`setup ↵migrate P active P* S ${device(t)} P failed R`);
      await one.statusIs('failed');
    },
    { needs: returns },
  )
  .must(
    'MIG-SM-O38.stopped',
    'a stopped guest stays stopped when the peer reports an error',
    async (t) => {
      for (const former of ['paused', 'prelaunch']) {
        const start = former === 'prelaunch' ? { start: { paused: true } } : {};
        const one = await source(t, 'error', { ...returns, ...start });
        if (former === 'paused') await one.does('stop');
        one.turn();
        await one.migrate();
        await one.until('failed');
        await one.runs(stoppedState(t, former));
        await one.tells(`setup ↵migrate P active P* ${device(t)} P failed`, former);
        one.turn();
        await one.does('cont');
        await one.tells('R ↵cont', `${former}: cont`);
      }
    },
    { needs: { ...returns, unless: unlessExact } },
  )
  .must(
    'MIG-SM-O38.unknown',
    'an unknown message on the return path fails the migration',
    async (t) => {
      for (const hex of ['00000000', '00ff0000', '000100020000']) {
        const one = await finalWait(t, { start: { name: `qmpspec-${hex}` } });
        one.turn();
        one.peer.message(Buffer.from(hex, 'hex'));
        await one.until('failed');
        await one.runs('running');
        await one.tells('failed R', hex);
      }
    },
    { needs: returns },
  )
  .must(
    'MIG-SM-O38.early',
    'an unknown message while memory is sent fails the migration, at once or at the end',
    async (t) => {
      const one = await active(t, { ...returns, ram: 1 });
      one.turn();
      one.peer.message(Buffer.from('00ff0000', 'hex'));
      await one.does('migrate-set-parameters', { 'max-bandwidth': 0 });
      await one.until('failed');
      await one.runs('running');
      await one.emits(t.dialect.migration.returnPathErrorsLate ? `P* S ${device(t)} P failed R` : 'P* failed');
    },
    { needs: { ...returns, unless: unlessExact } },
  )
  .must(
    'MIG-SM-O39',
    'a peer that closes without its last message fails the migration, and the guest goes on',
    async (t) => {
      const one = await finalWait(t);
      one.turn();
      one.peer.cut();
      const failed = await awaitOrDefect(t, 'MIG-DEF-03', 'event MIGRATION failed', (deadline) =>
        one.untilWithin(deadline, 'failed'),
      );
      if (!failed) return;
      await one.runs('running');
      await one.tells('failed R');
    },
    { needs: returns },
  )
  .must(
    'MIG-SM-O40',
    'a write that fails after the guest was stopped lets it go on; a stopped one stays stopped',
    async (t) => {
      for (const former of ['running', 'prelaunch']) {
        const one = await paused(t, 'answer', former === 'prelaunch' ? { start: { paused: true } } : {});
        one.peer.cut();
        await one.peer.until('closed', one.session.deadline);
        one.turn();
        await one.does('migrate-continue', going);
        await one.until('failed');
        await one.runs(former === 'running' ? 'running' : stoppedState(t, former));
        await one.emits(former === 'running' ? 'device P? failed R' : 'device P? failed', former);
        await one.statusIs('failed');
      }
    },
    { needs: { ...pauses, unless: unlessExact } },
  )
  .must('MIG-SM-O42', 'cont is refused in pre-switchover', async (t) => refusesCont(t, await paused(t)), {
    needs: pauses,
  })
  .must(
    'MIG-SM-O42.final-wait',
    'cont is refused while the last message is waited for',
    async (t) => refusesCont(t, await finalWait(t)),
    { needs: returns },
  )
  .must(
    'MIG-SM-O43',
    'stop succeeds during the switch-over and shows nothing',
    async (t) => {
      for (const one of [await paused(t), await finalWait(t, { start: { name: 'qmpspec' } })]) {
        one.turn();
        await one.does('stop');
        await one.tells('↵stop');
        await one.runStateIs('finish-migrate');
      }
    },
    { needs: { capabilities: ['pause-before-switchover', 'return-path'] } },
  )
  .must('MIG-SM-O44.status', 'cont after a completed migration leaves its figures as they are', async (t) => {
    const one = await source(t, 'answer');
    await one.migrate();
    await one.until('completed');
    await one.runs('postmigrate');
    const before = await one.info();
    one.turn();
    await one.does('cont');
    await one.tells('R ↵cont');
    await one.runStateIs('running');
    t.same(await one.info(), before, 'query-migrate after cont');
  })
  .must('MIG-SM-O45.cont', 'after cont the guest can be migrated again', async (t) => {
    const one = await source(t, 'answer');
    for (const step of ['first', 'second']) {
      one.turn();
      await one.migrate();
      await one.until('completed');
      await one.runs('postmigrate');
      await one.tells(`setup ↵migrate P active P* S ${device(t)} P completed`, step);
      await one.does('cont');
    }
  })
  .must(
    'MIG-SM-O45.postmigrate',
    'a migration from run state postmigrate is accepted or refused, as the release has it',
    async (t) => {
      const one = await source(t, 'answer');
      await one.migrate();
      await one.until('completed');
      await one.runs('postmigrate');
      one.turn();
      const text = t.dialect.migration.fromPostmigrate;
      const reply = await one.session.command('migrate', { uri: one.peer.uri });
      if (text !== undefined) {
        t.failed(reply, 'GenericError', text);
        await one.tells('✗migrate');
        return one.statusIs('completed');
      }
      t.succeeded(reply);
      await one.until('completed');
      await one.runs('postmigrate');
      await one.tells('setup ↵migrate P active P* P completed');
    },
    { needs: { unless: unlessExact } },
  )
  .must('MIG-SM-O36.buffered', 'completed stands, whatever becomes of the peer afterwards', async (t) => {
    const one = await source(t, 'answer', { ram: someRam, parameters: { 'max-bandwidth': slow * 1024 ** 2 } });
    await one.migrate();
    await one.until('completed');
    await one.runs('postmigrate');
    one.turn();
    one.peer.cut();
    await one.peer.until('closed', one.session.deadline);
    await one.tells('');
    await one.statusIs('completed');
  })
  .done();
