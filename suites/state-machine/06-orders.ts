/** state-machine.md §2, §6, §8: rules of emission, permitted orders, what a checker may rely on. */
import { ChapterBuilder } from '../requirement.js';
import { cancel } from './cancel.js';
import { hurry, pausedPostcopy, pauseNeeds, postcopyNeeds } from './postcopy.js';
import { active, finalWait, paused, peerNeeds, source } from './source.js';
import { device, eventsOf, precedes, tells } from './story.js';

const pauses = { capabilities: ['pause-before-switchover'] } as const;
const returns = { capabilities: ['return-path'] } as const;

/** The path of a source that succeeds. */
const path = ['setup', 'active', 'device', 'completed'];

export const orders = new ChapterBuilder(
  ['State machine', '6 Emission and order'],
  'state-machine.md §2, §6, §8',
  peerNeeds,
)
  .must(
    'MIG-SM-E01',
    'what was cancelled does nothing more, and cannot be continued',
    async (t) => {
      const one = await paused(t);
      await cancel(one);
      await one.until('cancelled');
      await one.runs('running');
      one.turn();
      const text = 'Migration not in expected state: cancelled';
      const late = await one.session.command('migrate-continue', { state: 'pre-switchover' });
      t.failed(late, 'GenericError', text);
      await one.peer.until('closed', one.session.deadline);
      await one.tells('✗migrate-continue');
      await one.statusIs('cancelled');
    },
    { needs: pauses },
  )
  .must('MIG-SM-E03', 'STOP is told without the capability events, and nothing else of the migration is', async (t) => {
    const one = await source(t, 'answer', { events: false });
    await one.migrate();
    await one.runs('postmigrate');
    await one.tells('↵migrate S');
    await one.statusIs('completed');
  })
  .must(
    'MIG-SM-E03.resume',
    'RESUME is told without the capability events',
    async (t) => {
      const one = await source(t, 'error', { ...returns, events: false });
      await one.migrate();
      await one.session.event('RESUME');
      await one.tells('↵migrate S R');
      await one.runStateIs('running');
    },
    { needs: returns },
  )
  .must('MIG-SM-E04', 'STOP and RESUME are told only when the guest stops and runs', async (t) => {
    const one = await source(t, 'answer');
    await one.does('stop');
    one.turn();
    await one.does('stop');
    await one.migrate();
    await one.until('completed');
    await one.runs('postmigrate');
    await one.does('stop');
    await one.does('cont');
    await one.does('cont');
    await one.tells(`↵stop setup ↵migrate P active P* ${device(t)} P completed ↵stop R ↵cont ↵cont`);
  })
  .must('MIG-SM-R01.repeated', 'a migration that succeeds tells its steps in order, every time', async (t) => {
    const one = await source(t, 'answer');
    for (let turn = 1; turn <= 5; turn++) {
      one.turn();
      await one.migrate();
      await one.until('completed');
      await one.runs('postmigrate');
      await one.tells(`setup ↵migrate P active P* S ${device(t)} P completed`, `migration ${turn}`);
      await one.does('cont');
    }
  })
  .must(
    'MIG-SM-E04.after',
    'a guest that stops and goes on is told as ever, however the migration before has ended',
    async (t) => {
      const one = await source(t, 'answer', pauses);
      const halts = async (end: string): Promise<void> => {
        one.turn();
        await one.does('stop');
        await one.runStateIs('paused');
        await one.does('cont');
        await one.runStateIs('running');
        await one.tells('S ↵stop R ↵cont', `after a migration that has ${end}`);
        one.turn();
      };
      await one.does('migrate', { uri: `unix:${one.instance.scratch}/absent.sock` });
      await one.until('failed');
      await halts('failed');
      await one.migrate();
      await one.until('pre-switchover');
      await one.does('migrate_cancel');
      await one.until('cancelled');
      await one.runs('running');
      await one.session.fence();
      await halts('been cancelled');
      await one.migrate();
      await one.until('pre-switchover');
      await one.does('migrate-continue', { state: 'pre-switchover' });
      await one.until('completed');
      await one.runs('postmigrate');
      await one.does('cont');
      await halts('completed');
    },
    { needs: pauses },
  )
  .must(
    'MIG-SM-R02',
    'with a pause STOP and pre-switchover come before the continue, the rest after it',
    async (t) => {
      const one = await source(t, 'answer', pauses);
      for (let turn = 1; turn <= 3; turn++) {
        one.turn();
        await one.migrate();
        await one.until('pre-switchover');
        await one.does('migrate-continue', { state: 'pre-switchover' });
        await one.until('completed');
        await one.runs('postmigrate');
        const words = await one.story();
        tells(t, eventsOf(words), 'setup P active P* S pre-switchover device P completed', `migration ${turn}`);
        precedes(t, words, '↵migrate', 'P');
        precedes(t, words, 'pre-switchover', '↵migrate-continue');
        await one.does('cont');
      }
    },
    { needs: pauses },
  )
  .must('MIG-SM-R03', 'a refused connection tells setup, the reply and failed', async (t) => {
    const one = await source(t, 'absent');
    for (let turn = 1; turn <= 5; turn++) {
      one.turn();
      await one.migrate();
      await one.until('failed');
      await one.tells('setup ↵migrate failed', `attempt ${turn}`);
    }
  })
  .must('MIG-SM-R04', 'an error that shows at once is told before the reply', async (t) => {
    const one = await source(t, 'absent');
    for (let turn = 1; turn <= 3; turn++) {
      one.turn();
      t.failed(await one.session.command('migrate', { uri: 'fd:qmpspec-none' }), 'GenericError');
      await one.tells('setup failed ✗migrate', `attempt ${turn}`);
    }
  })
  .must('MIG-SM-R05', 'cancelling is told before the reply to the cancel, and cancelled last', async (t) => {
    const one = await active(t);
    one.turn();
    await cancel(one);
    const end = await one.until('cancelled', 'failed');
    if (end === 'failed') return t.knownDefect('MIG-DEF-01', 'cancelled', 'failed');
    const words = await one.story();
    precedes(t, words, 'cancelling', '↵migrate_cancel');
    t.check(eventsOf(words).at(-1) === 'cancelled', 'cancelled last', words.join(' '));
    if (!t.dialect.migration.lateReplies) precedes(t, words, '↵migrate_cancel', 'cancelled');
  })
  .must(
    'MIG-SM-R06',
    'a failed switch-over tells STOP, the last pass, failed and RESUME',
    async (t) => {
      const one = await source(t, 'error', returns);
      for (let turn = 1; turn <= 3; turn++) {
        one.turn();
        await one.migrate();
        await one.until('failed');
        await one.runs('running');
        await one.emits(`setup P active P* S ${device(t)} P failed R`, `attempt ${turn}`);
      }
    },
    { needs: returns },
  )
  .must(
    'MIG-SM-R08',
    'a pause and then a resume of postcopy tell their steps in order',
    async (t) => {
      const one = await pausedPostcopy(t);
      const words = await one.story();
      t.check(words.includes('↵migrate-pause') && words.at(-1) !== 'active', 'a reply', words.join(' '));
      precedes(t, words, 'postcopy-active', 'postcopy-paused');
      one.turn();
      await one.migrate({ resume: true });
      await one.until('postcopy-active');
      await hurry(one);
      await one.until('completed');
      await one.runs('postmigrate');
      const later = await one.story();
      const recover = eventsOf(later).filter((word) => word !== 'postcopy-recover-setup');
      tells(t, recover, 'postcopy-recover postcopy-active completed');
      precedes(t, later, '↵migrate', 'postcopy-recover');
    },
    {
      needs: { ...postcopyNeeds, ...pauseNeeds, commands: [...postcopyNeeds.commands, 'migrate-pause'] },
      tags: ['MIG-SM-R09'],
    },
  )
  .must('MIG-SM-K01', 'the status that is asked for goes along the path of the events', async (t) => {
    const one = await source(t, 'answer');
    await one.migrate();
    const seen: string[] = [];
    for (let status = ''; status !== 'completed'; ) {
      status = await one.status();
      if (seen.at(-1) !== status) seen.push(status);
    }
    await one.runs('postmigrate');
    const places = seen.map((status) => path.indexOf(status));
    t.check(
      places.every((place, i) => place >= 0 && (i === 0 || place > (places[i - 1] as number))),
      `some of ${path.join(', ')}, in this order`,
      seen.join(', '),
    );
  })
  .must(
    'MIG-SM-K03',
    'a listener that reads all and answers is enough for a whole migration with a return path',
    async (t) => {
      const one = await finalWait(t);
      await one.peer.release();
      await one.until('completed');
      await one.runs('postmigrate');
      await one.peer.until('closed', one.session.deadline);
      t.check(one.peer.received > 0, 'a stream', `${one.peer.received} bytes`);
    },
    { needs: returns },
  )
  .must(
    'MIG-SM-K04',
    'once the run state is postmigrate the guest can be started and migrated again at once',
    async (t) => {
      const one = await source(t, 'answer');
      for (let turn = 1; turn <= 5; turn++) {
        one.turn();
        await one.migrate();
        await one.until('completed');
        await one.runs('postmigrate');
        await one.does('cont');
        await one.runStateIs('running');
      }
      t.check(one.instance.exit === undefined, 'a living process', 'an exit');
    },
  )
  .done();
