/** state-machine.md §4.2, §4.6, §5.2: a destination loads a precopy stream. */
import type { Trial } from '../../oracle/trial.js';
import { unlessExact } from '../commands/dialect-fit.js';
import { ChapterBuilder } from '../requirement.js';
import { refusesRow, wellKnown } from '../stream-format/10-malformed.js';
import { allowPostcopy, type Destination, destination, feedNeeds, setupWord } from './destination.js';
import { onTheWay } from './one-load.js';
import { tells } from './story.js';

const exits = { abilities: [...feedNeeds.abilities, 'exit'] } as const;

/** Loads the least stream there is, from a source in this run state. */
async function loadsFrom(t: Trial, one: Destination, runState: string | undefined): Promise<void> {
  const feed = await one.loads();
  feed.begin().ramSetup().pages(0, 1, 2).ramEnd();
  if (runState !== undefined) feed.runState(runState);
  one.turn();
  feed.end().send();
  await one.until('completed');
  t.check(true, 'completed', 'completed');
}

const chapter = new ChapterBuilder(['State machine', '4.2 Incoming: precopy'], 'state-machine.md §4.2', feedNeeds);

const { cut, ...wrong } = wellKnown;
for (const [name, row] of Object.entries(wrong)) {
  chapter.must(
    `MIG-SM-I20.${name}`,
    `a stream with a wrong ${name} fails the load, and the process ends with exit status 1`,
    async (t) => void (await refusesRow(t, row)),
    { needs: exits },
  );
}

export const load = chapter
  .must(
    'MIG-SM-I20.cut',
    'a stream that ends early fails the load, wherever it is cut',
    async (t) => {
      for (const row of cut) await refusesRow(t, row);
    },
    { needs: exits },
  )
  .must('MIG-SM-I21', 'the end mark starts the guest and completes the load', (t) => onTheWay(t, 'MIG-SM-I21'))
  .must('MIG-SM-I21.running', 'a guest that ran at the source runs here', (t) => onTheWay(t, 'MIG-SM-I21.running'))
  .must('MIG-SM-I21.stopped', 'a guest that was stopped at the source is in the state that it had there', async (t) => {
    for (const state of ['paused', 'prelaunch', 'postmigrate']) {
      const one = await destination(t);
      await loadsFrom(t, one, state);
      await one.tells('completed', state);
      await one.runStateIs(state);
      one.turn();
      await one.does('cont');
      await one.tells('R ↵cont', state);
      await one.runStateIs('running');
    }
  })
  .must('MIG-SM-I21.started-stopped', 'a destination started with -S does not start the guest', async (t) => {
    const one = await destination(t, { start: { paused: true } });
    await loadsFrom(t, one, 'running');
    await one.tells('completed');
    await one.runStateIs('paused');
  })
  .must('MIG-SM-I21.return-path', 'a load over a return path is told to be fine with the last message', async (t) => {
    const one = await destination(t);
    const feed = await one.loads();
    feed.begin().returnPath().writer.ping(0x1234);
    feed.ramSetup().pages(0).ramEnd().end().send();
    await one.until('completed');
    await feed.until('PONG and SHUT', () => feed.returned.length >= 16);
    t.same(feed.returned.toString('hex'), '00020004000012340001000400000000', 'the return path');
  })
  .must(
    'MIG-SM-I21.advised',
    'a load that was advised of postcopy may end in precopy',
    async (t) => {
      const one = await destination(t);
      await allowPostcopy(t, one.session);
      const feed = await one.loads();
      one.turn();
      feed.begin().returnPath().writer.postcopyAdvise(4096);
      feed.ramSetup().pages(0).ramEnd().end().send();
      const end = await Promise.race([one.until('completed'), one.instance.exited(5000)]).catch(() => undefined);
      if (end !== 'completed') {
        return t.knownDefect('MIG-DEF-12', 'event MIGRATION completed', one.instance.exit?.signal ?? 'nothing');
      }
      await one.emits('R completed');
    },
    { needs: { capabilities: ['postcopy-ram'] } },
  )
  .must('MIG-SM-I22', 'while it loads, settings, cancel, stop and cont succeed and leave the load alone', (t) =>
    onTheWay(t, 'MIG-SM-I22'),
  )
  .must(
    'MIG-SM-I22.capabilities',
    'capabilities can be set while it loads',
    (t) => onTheWay(t, 'MIG-SM-I22.capabilities'),
    { needs: { unless: unlessExact } },
  )
  .must('MIG-SM-I22.stop', 'a stop while it loads keeps the guest from being started', async (t) => {
    const one = await destination(t);
    const feed = await one.loads();
    feed.begin().send();
    await one.does('stop');
    one.turn();
    feed.end().send();
    await one.until('completed');
    await one.emits('completed');
    await one.runStateIs('paused');
  })
  .must('MIG-SM-I23', 'while it loads the commands of a source are refused', (t) => onTheWay(t, 'MIG-SM-I23'))
  .must(
    'MIG-SM-I23.postcopy',
    'while it loads a precopy the commands of postcopy are refused',
    (t) => onTheWay(t, 'MIG-SM-I23.postcopy'),
    { needs: { commands: ['migrate-pause', 'migrate-recover', 'migrate-start-postcopy'] } },
  )
  .must('MIG-SM-I24.away', 'after the load it is an ordinary source', (t) => onTheWay(t, 'MIG-SM-I24.away'))
  .must('MIG-SM-R10.fed', 'the events of a load come in order', (t) =>
    onTheWay(t, 'MIG-SM-R10.fed', async (t) => {
      const one = await destination(t);
      const feed = await one.loads();
      feed.begin().end().send();
      await one.until('completed');
      await one.tells(`${setupWord(t)} ↵migrate-incoming active R completed`);
    }),
  )
  .must(
    'MIG-SM-R12',
    'a failed load tells active and failed, and then the process ends',
    async (t) => {
      const told = await refusesRow(t, wrong.section);
      tells(t, told, `${setupWord(t)} ↵migrate-incoming active failed`);
    },
    { needs: exits },
  )
  .must(
    'MIG-SM-I20.survives',
    'with exit-on-error off a failed load leaves the process in failed, with the reason',
    async (t) => {
      const one = await destination(t);
      const args = { uri: one.uri, 'exit-on-error': false };
      t.equal(t.succeeded(await one.session.command('migrate-incoming', args)), {}, 'migrate-incoming');
      const feed = await one.connects();
      feed.leads();
      await one.until('active');
      one.turn();
      feed.raw(Buffer.from('garbage that is no stream'));
      await one.until('failed');
      await one.emits('failed');
      const info = await one.info();
      t.same(info.status, 'failed', 'status');
      t.check(typeof info['error-desc'] === 'string', 'a text', 'none', 'error-desc');
      await one.runStateIs('inmigrate');
      t.failed(await one.session.command('migrate-incoming', { uri: one.uri }), 'GenericError');
    },
    { needs: { members: ['migrate-incoming.exit-on-error'] } },
  )
  .done();
