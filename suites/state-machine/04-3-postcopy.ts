/** state-machine.md §4.3, §4.4, §5.3: a destination in postcopy, fed by hand. */
import type { Trial } from '../../oracle/trial.js';
import type { StreamWriter } from '../../reference/stream/stream-writer.js';
import { unlessExact } from '../commands/dialect-fit.js';
import { ChapterBuilder } from '../requirement.js';
import { awaitOrDefect } from './defects.js';
import { type Destination, feedNeeds, postcopyDestination, setupWord } from './destination.js';
import { block, Feed } from './feed.js';
import { storySoFar, tells } from './story.js';

const needs = {
  abilities: [...feedNeeds.abilities, 'exit'],
  capabilities: ['postcopy-ram'],
  commands: ['migrate-pause', 'migrate-recover'],
} as const;

type Both = readonly [Destination, Feed];

/** A destination whose guest runs and whose memory is still to come. */
async function running(t: Trial, start = {}): Promise<Both | undefined> {
  const one = await postcopyDestination(t, { start });
  if (one === undefined) return undefined;
  const feed = await one.loads();
  one.turn();
  feed.postcopy().package('POSTCOPY_LISTEN', 'POSTCOPY_RUN').send('the switch');
  await one.until('postcopy-active');
  await one.runs('paused' in start ? 'paused' : 'running');
  return [one, feed];
}

/** The same, with its channel lost. */
async function lost(t: Trial): Promise<Both | undefined> {
  const both = await running(t);
  if (both === undefined) return undefined;
  const [one, feed] = both;
  feed.close();
  await one.until('postcopy-paused');
  one.turn();
  return both;
}

/** The same, with a new connection in place of the lost one. */
async function recovering(t: Trial): Promise<Both | undefined> {
  const both = await lost(t);
  if (both === undefined) return undefined;
  const [one] = both;
  const path = `${one.instance.scratch}/again.sock`;
  await one.does('migrate-recover', { uri: `unix:${path}` });
  const feed = await Feed.open(t, path, 'again');
  if (t.dialect.migration.activeWithBytes) {
    feed.writer.ping(1);
    feed.send('a ping: it waits for the first bytes');
  }
  await one.until('postcopy-recover');
  return [one, feed];
}

/** Postcopy commands out of place: what is wrong, and how to write it. */
const disorder: readonly (readonly [string, string, (feed: Feed, writer: StreamWriter) => void, string?])[] = [
  [
    'MIG-SM-I31.twice',
    'a second advice',
    (feed, writer) => {
      feed.begin().returnPath();
      writer.postcopyAdvise(4096);
      writer.postcopyAdvise(4096);
    },
    'MIG-DEF-12',
  ],
  [
    'MIG-SM-I31.length',
    'an advice of another length',
    (feed, writer) => {
      feed.begin().returnPath();
      writer.command('POSTCOPY_ADVISE', Buffer.alloc(8));
    },
    'MIG-DEF-12',
  ],
  [
    'MIG-SM-I31.empty',
    'an advice without page sizes',
    (feed, writer) => {
      feed.begin().returnPath();
      writer.postcopyAdvise();
    },
    'MIG-DEF-12',
  ],
  [
    'MIG-SM-I31.sizes',
    'an advice with other page sizes',
    (feed, writer) => {
      feed.begin().returnPath();
      writer.postcopyAdvise(8192);
    },
    'MIG-DEF-12',
  ],
  [
    'MIG-SM-I33',
    'a discard that was not advised',
    (feed, writer) => {
      feed.begin().returnPath().ramSetup();
      writer.postcopyDiscard(block.name, [{ start: 0, length: 4096 }]);
    },
  ],
  [
    'MIG-SM-I35',
    'a listen that was not advised',
    (feed) => {
      feed.begin().returnPath().ramSetup().package('POSTCOPY_LISTEN');
    },
  ],
  [
    'MIG-SM-I37',
    'a run without a listen',
    (feed) => {
      feed.begin().returnPath().ramSetup().package('POSTCOPY_RUN');
    },
    'MIG-DEF-13',
  ],
  [
    'MIG-SM-I40',
    'a ping without a return path',
    (feed, writer) => {
      feed.begin();
      writer.ping(1);
    },
  ],
];

const builder = new ChapterBuilder(['State machine', '4.3 Incoming: postcopy'], 'state-machine.md §4.3', needs);

for (const [id, what, write, defect] of disorder) {
  builder.must(id, `${what} fails the load, and the process ends with exit status 1`, async (t) => {
    const one = await postcopyDestination(t);
    if (one === undefined) return;
    const feed = await one.loads();
    one.turn();
    write(feed, feed.writer);
    feed.end().send(what);
    const exit = await one.exits();
    if (exit.signal !== null && defect !== undefined) {
      return t.knownDefect(defect, 'exit status 1', `killed by ${exit.signal}`);
    }
    t.check(exit.code === 1, 'exit status 1', `${exit.signal ?? exit.code}`);
    tells(t, storySoFar(t, one.session, one.mark), 'failed');
  });
}

export const incomingPostcopy = builder
  .must(
    'MIG-SM-I30',
    'an advice and a discard show nothing',
    async (t) => {
      const one = await postcopyDestination(t);
      if (one === undefined) return;
      const feed = await one.loads();
      one.turn();
      feed.postcopy().writer.ping(7);
      feed.send();
      await feed.answer('PONG');
      await one.statusIs('active');
      await one.runStateIs('inmigrate');
      await one.tells('');
    },
    { tags: ['MIG-SM-I32'] },
  )
  .must('MIG-SM-I32', 'a discard may be followed by others', async (t) => {
    const one = await postcopyDestination(t);
    if (one === undefined) return;
    const feed = await one.loads();
    feed.postcopy();
    for (let page = 0; page < 64; page++) {
      feed.writer.postcopyDiscard(block.name, [{ start: page * 4096, length: 4096 }]);
    }
    feed.writer.ping(8);
    feed.send();
    t.same((await feed.answer('PONG')).type, 'PONG', 'answer behind the discards');
    await one.statusIs('active');
  })
  .must('MIG-SM-I34', 'LISTEN makes it postcopy-active while the guest still waits', async (t) => {
    const one = await postcopyDestination(t);
    if (one === undefined) return;
    const feed = await one.loads();
    one.turn();
    // A package cannot end behind LISTEN alone, so the guest runs a moment later.
    feed.postcopy().package('POSTCOPY_LISTEN', 'POSTCOPY_RUN').send();
    await one.until('postcopy-active');
    await one.runs('running');
    await one.tells('postcopy-active R');
    await one.statusIs('postcopy-active');
  })
  .must('MIG-SM-I36', 'RUN starts the guest, whatever it did at the source', async (t) => {
    const one = await postcopyDestination(t);
    if (one === undefined) return;
    const feed = await one.loads();
    one.turn();
    feed.postcopy().runState('paused').package('POSTCOPY_LISTEN', 'POSTCOPY_RUN').send();
    await one.until('postcopy-active');
    await one.runs('running');
    await one.tells('postcopy-active R');
  })
  .must('MIG-SM-I36.stopped', 'RUN does not start the guest of a destination started with -S', async (t) => {
    const both = await running(t, { paused: true });
    if (both === undefined) return;
    const [one, feed] = both;
    await one.tells('postcopy-active');
    await one.runStateIs('paused');
    feed.rest();
    feed.writer.eof();
    feed.send();
    await one.until('completed');
    await one.emits('postcopy-active completed');
    await one.runStateIs('paused');
  })
  .must('MIG-SM-I38', 'an error between LISTEN and RUN ends the process with exit status 1', async (t) => {
    const one = await postcopyDestination(t);
    if (one === undefined) return;
    const feed = await one.loads();
    one.turn();
    feed.postcopy().writer.rawCommand(200, Buffer.alloc(0));
    feed.send();
    const exit = await one.exits();
    if (exit.signal !== null) return t.knownDefect('MIG-DEF-13', 'exit status 1', `killed by ${exit.signal}`);
    t.check(exit.code === 1, 'exit status 1', `${exit.code}`);
    tells(t, storySoFar(t, one.session, one.mark), 'failed?');
  })
  .must('MIG-SM-I39', 'a second return path and commands of a recovery out of place do not end the load', async (t) => {
    const one = await postcopyDestination(t);
    if (one === undefined) return;
    const feed = await one.loads();
    one.turn();
    feed.begin().returnPath().returnPath().ramSetup();
    feed.writer.recvBitmap(block.name);
    feed.writer.command('POSTCOPY_RESUME');
    feed.writer.ping(9);
    feed.send();
    await feed.answer('PONG');
    await one.statusIs('active');
    feed.pages(0).ramEnd().end().send();
    await one.until('completed');
    await one.emits('R completed');
    t.same(
      feed.answers.map(({ type }) => type),
      ['PONG', 'SHUT'],
      'the return path',
    );
  })
  .must('MIG-SM-I45', 'the end of the stream completes the load and says so to the source', async (t) => {
    const both = await running(t);
    if (both === undefined) return;
    const [one, feed] = both;
    feed.rest();
    feed.writer.eof();
    feed.send('the rest');
    const shut = await feed.answer('SHUT');
    t.same(shut.type === 'SHUT' ? shut.value : -1, 0, 'value of SHUT');
    await one.until('completed');
    await one.emits('postcopy-active R completed');
    await one.statusIs('completed');
    await one.runStateIs('running');
  })
  .must('MIG-SM-I46', 'a channel that is lost pauses the postcopy, and the guest goes on', async (t) => {
    const both = await running(t);
    if (both === undefined) return;
    const [one, feed] = both;
    one.turn();
    feed.close();
    await one.until('postcopy-paused');
    await one.tells('postcopy-paused');
    await one.statusIs('postcopy-paused');
    await one.runStateIs('running');
  })
  .must('MIG-SM-I46.pause', 'migrate-pause on the destination pauses the postcopy', async (t) => {
    const both = await running(t);
    if (both === undefined) return;
    const [one, feed] = both;
    one.turn();
    await one.does('migrate-pause');
    await one.until('postcopy-paused');
    await feed.until('the end of the connection', () => feed.closed);
    await one.emits('postcopy-paused');
    t.failed(await one.session.command('migrate-pause'), 'GenericError', undefined, 'a second one');
  })
  .must('MIG-SM-I46.garbage', 'garbage after the switch pauses the postcopy', async (t) => {
    const both = await running(t);
    if (both === undefined) return;
    const [one, feed] = both;
    // What follows is read by another thread than the one that started the guest.
    feed.writer.ping(5);
    feed.send();
    await feed.answer('PONG');
    one.turn();
    feed.raw(Buffer.from([9, 9, 9, 9]));
    await one.until('postcopy-paused');
    await one.tells('postcopy-paused');
    await one.runStateIs('running');
  })
  .must('MIG-SM-I47', 'migrate-recover is refused while the postcopy is active', async (t) => {
    const both = await running(t);
    if (both === undefined) return;
    const [one] = both;
    one.turn();
    const reply = await one.session.command('migrate-recover', { uri: one.uri });
    t.failed(reply, 'GenericError', 'Migrate recover can only be run when postcopy is paused.');
    await one.tells('✗migrate-recover');
    await one.statusIs('postcopy-active');
  })
  .must(
    'MIG-SM-I50',
    'migrate-recover listens anew and leaves the state as it is',
    async (t) => {
      const both = await lost(t);
      if (both === undefined) return;
      const [one] = both;
      await one.does('migrate-recover', { uri: `unix:${one.instance.scratch}/again.sock` });
      await one.tells(`${recoverSetup(t)} ↵migrate-recover`);
      await one.statusIs('postcopy-paused');
      await one.runStateIs('running');
    },
    { needs: { unless: unlessExact } },
  )
  .must(
    'MIG-SM-I51',
    'a second migrate-recover is refused, or opens another listener in later releases',
    async (t) => {
      const both = await lost(t);
      if (both === undefined) return;
      const [one] = both;
      await one.does('migrate-recover', { uri: `unix:${one.instance.scratch}/again.sock` });
      one.turn();
      const reply = await one.session.command('migrate-recover', { uri: `unix:${one.instance.scratch}/more.sock` });
      if (t.dialect.migration.recoverAgain.allowed) t.equal(t.succeeded(reply), {}, 'migrate-recover');
      else t.failed(reply, 'GenericError', 'Migrate recovery is triggered already');
      await one.statusIs('postcopy-paused');
    },
    { needs: { unless: unlessExact } },
  )
  .must('MIG-SM-I51.bad', 'after migrate-recover with a bad URI another one works', async (t) => {
    const both = await lost(t);
    if (both === undefined) return;
    const [one] = both;
    const bad = await one.session.command('migrate-recover', { uri: 'qmpspec-none:1' });
    t.failed(bad, 'GenericError', 'unknown migration protocol: qmpspec-none:1');
    const uri = `unix:${one.instance.scratch}/again.sock`;
    const reply = await one.session.command('migrate-recover', { uri });
    if (reply.kind === 'failure') return t.knownDefect('MIG-DEF-08', 'a success reply', reply);
    t.equal(t.succeeded(reply), {}, 'migrate-recover');
  })
  .must(
    'MIG-SM-I52',
    'a connection makes it postcopy-recover',
    async (t) => {
      const both = await recovering(t);
      if (both === undefined) return;
      const [one] = both;
      await one.emits(`${recoverSetup(t)} postcopy-recover`);
      await one.statusIs('postcopy-recover');
      await one.runStateIs('running');
    },
    { needs: { unless: unlessExact } },
  )
  .must('MIG-SM-I53', 'it tells which pages have arrived', async (t) => {
    const both = await recovering(t);
    if (both === undefined) return;
    const [one, feed] = both;
    feed.writer.recvBitmap(block.name);
    feed.send();
    const bitmap = await feed.answer('RECV_BITMAP');
    const bits = bitmap.type === 'RECV_BITMAP' ? bitmap.bitmap : Buffer.alloc(0);
    t.same(bits.length, block.length / 4096 / 8, 'bytes of the bitmap');
    t.check(
      bits.every((byte) => byte === 0),
      'no page has arrived',
      bits.toString('hex').slice(0, 40),
      'bitmap',
    );
    await one.statusIs('postcopy-recover');
  })
  .must('MIG-SM-I54', 'POSTCOPY_RESUME is acknowledged and lets the postcopy go on to its end', async (t) => {
    const both = await recovering(t);
    if (both === undefined) return;
    const [one, feed] = both;
    one.turn();
    feed.writer.recvBitmap(block.name);
    feed.writer.command('POSTCOPY_RESUME');
    feed.send();
    const ack = await feed.answer('RESUME_ACK');
    t.same(ack.type === 'RESUME_ACK' ? ack.value : -1, 1, 'value of RESUME_ACK');
    await one.until('postcopy-active');
    feed.rest();
    feed.writer.eof();
    feed.send('the rest');
    await one.until('completed');
    await one.emits('postcopy-active completed');
    await one.runStateIs('running');
  })
  .must('MIG-SM-I55', 'a channel that is lost in postcopy-recover pauses the postcopy again', async (t) => {
    const both = await recovering(t);
    if (both === undefined) return;
    const [one, feed] = both;
    one.turn();
    feed.close();
    const came = await awaitOrDefect(t, 'MIG-DEF-07', 'event MIGRATION postcopy-paused', (deadline) =>
      one.untilWithin(deadline === undefined ? undefined : deadline * 10, 'postcopy-paused'),
    );
    if (!came) return;
    await one.emits('postcopy-paused');
    await one.runStateIs('running');
  })
  .must('MIG-SM-I55.garbage', 'garbage in postcopy-recover pauses the postcopy again', async (t) => {
    const both = await recovering(t);
    if (both === undefined) return;
    const [one, feed] = both;
    one.turn();
    feed.raw(Buffer.from([9, 9, 9, 9]));
    const came = await awaitOrDefect(t, 'MIG-DEF-07', 'event MIGRATION postcopy-paused', (deadline) =>
      one.untilWithin(deadline === undefined ? undefined : deadline * 10, 'postcopy-paused'),
    );
    if (came) await one.emits('postcopy-paused');
  })
  .must('MIG-SM-R11.fed', 'the events of a load by postcopy come in order', async (t) => {
    const one = await postcopyDestination(t);
    if (one === undefined) return;
    const feed = await one.loads();
    feed.postcopy().package('POSTCOPY_LISTEN', 'POSTCOPY_RUN').send();
    await one.until('postcopy-active');
    await one.runs('running');
    feed.rest();
    feed.writer.eof();
    feed.send();
    await one.until('completed');
    await one.tells(`${setupWord(t)} ↵migrate-incoming active postcopy-active R completed`);
  })
  .done();

/** Whether migrate-recover tells setup. */
function recoverSetup(t: Trial): string {
  return t.dialect.migration.recoverAgain.setup ? 'setup' : '';
}
