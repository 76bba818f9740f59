/** state-machine.md §4.2, §4.6, §5.2: a destination loads a precopy stream. */
import type { Trial } from '../../oracle/trial.js';
import { unlessExact } from '../commands/dialect-fit.js';
import { ChapterBuilder } from '../requirement.js';
import { type Destination, destination, feedNeeds, setupWord } from './destination.js';
import { block, type Feed } from './feed.js';
import { onTheWay } from './one-load.js';

const exits = { abilities: [...feedNeeds.abilities, 'exit'] } as const;

/** Streams that no destination can load: what is wrong, and how to write it. */
const faults: readonly (readonly [string, (feed: Feed) => void])[] = [
  ['magic', (feed) => feed.raw(Buffer.from('QEVN\0\0\0\x03', 'latin1'))],
  ['version', (feed) => feed.raw(Buffer.from('5145564d00000004', 'hex'))],
  [
    'machine',
    (feed) => {
      feed.writer.header();
      feed.writer.configuration('qmpspec-none');
      feed.end().send();
    },
  ],
  [
    'section',
    (feed) => {
      feed.begin().writer.device(9, 'qmpspec-none', 0, 1, Buffer.alloc(4));
      feed.end().send();
    },
  ],
  [
    'command',
    (feed) => {
      feed.begin().writer.rawCommand(200, Buffer.alloc(0));
      feed.end().send();
    },
  ],
  [
    'length',
    (feed) => {
      const { writer } = feed.begin();
      writer.start(7, 'ram', 0, 4);
      writer.ram.setup([{ ...block, length: block.length / 2 }]);
      writer.ram.eos();
      writer.footer();
      feed.end().send();
    },
  ],
  ['item', (feed) => feed.begin().raw(Buffer.from([9]))],
];

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

for (const [name, write] of faults) {
  chapter.must(
    `MIG-SM-I20.${name}`,
    `a stream with a wrong ${name} fails the load, and the process ends with exit status 1`,
    async (t) => {
      const one = await destination(t);
      // What waits for the first bytes does not become active by wrong ones.
      const begins = name === 'magic' && t.dialect.migration.activeWithBytes;
      const feed = begins ? await one.listens().then(() => one.connects()) : await one.loads();
      one.turn();
      write(feed);
      await one.fails(begins ? 'active? failed' : 'failed');
    },
    { needs: exits },
  );
}

export const load = chapter
  .must(
    'MIG-SM-I20.cut',
    'a stream that ends early fails the load, wherever it is cut',
    async (t) => {
      for (const part of ['nothing', 'header', 'memory', 'before the end mark'] as const) {
        const one = await destination(t);
        const feed = await one.loads();
        one.turn();
        if (part !== 'nothing') feed.begin();
        if (part === 'memory') feed.ramSetup().pages(0, 1);
        if (part === 'before the end mark') feed.ramSetup().pages(0).ramEnd();
        feed.send(part);
        feed.finish();
        await one.fails('failed', part);
      }
    },
    { needs: exits },
  )
  .must('MIG-SM-I21', 'the end mark starts the guest and completes the load', (t) => onTheWay(t, 'MIG-SM-I21'))
  .must('MIG-SM-I21.running', 'a guest that ran at the source runs here', async (t) => {
    const one = await destination(t);
    await loadsFrom(t, one, 'running');
    await one.tells('R completed');
    await one.runStateIs('running');
  })
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
      const reply = await one.session.command('migrate-set-capabilities', {
        capabilities: [{ capability: 'postcopy-ram', state: true }],
      });
      if (reply.kind === 'failure') return t.failed(reply, 'GenericError', undefined, 'a host without userfault');
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
  .must('MIG-SM-R10.fed', 'the events of a load come in order', async (t) => {
    const one = await destination(t);
    const feed = await one.loads();
    feed.begin().end().send();
    await one.until('completed');
    await one.tells(`${setupWord(t)} ↵migrate-incoming active R completed`);
  })
  .must(
    'MIG-SM-R12',
    'a failed load tells active and failed, and then the process ends',
    async (t) => {
      const one = await destination(t);
      const feed = await one.loads();
      feed.raw(Buffer.from('garbage that is no stream'));
      await one.fails(`${setupWord(t)} ↵migrate-incoming active failed`);
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
