/** stream-format.md §4: commands. */

import type { Trial } from '../../oracle/trial.js';
import { unlessExact } from '../commands/dialect-fit.js';
import { ChapterBuilder } from '../requirement.js';
import { destination, postcopyDestination } from '../state-machine/destination.js';
import { block } from '../state-machine/feed.js';
import { postcopyLoad } from '../state-machine/one-load.js';
import { takes } from './accepted-row.js';
import { Captured, capture, captureNeeds, recorded } from './capture.js';
import { failNeeds, loadNeeds, ramStart, refuses } from './loading.js';

const postcopy = { capabilities: ['postcopy-ram'] } as const;

const pings = [1, 2, 3, 4, 5, 0xffffffff, 0, 0x12345678] as const;

/** Each ping has its answer at once. */
async function answersPings(t: Trial) {
  const one = await destination(t);
  const feed = await one.loads();
  feed.begin().returnPath();
  for (const value of pings) feed.writer.ping(value);
  feed.send();
  await feed.until('the answers', () => feed.returned.length >= 8 * pings.length);
  const got = feed.answers.map((message) => (message.type === 'PONG' ? message.value : message.type));
  t.same(got.join(' '), pings.join(' '), 'PONG');
  await one.statusIs('active');
  return [one, feed] as const;
}

/** One load before the eyes of all who look at what comes back in it. */
async function answered(t: Trial): Promise<void> {
  const [one, feed] = await answersPings(t);
  const before = feed.returned.length;
  feed.returnPath().writer.ping(5);
  ramStart(feed.writer);
  if (unlessExact(t.facts) === undefined) {
    feed.writer.recvBitmap(block.name);
    feed.writer.command('POSTCOPY_RESUME');
  }
  feed.writer.ping(6);
  feed.end().send();
  await one.until('completed');
  await feed.until('PONG and SHUT', () => feed.returned.length >= before + 24);
  const rest = feed.returned.subarray(before).toString('hex');
  t.same(rest, '000200040000000500020004000000060001000400000000', 'the return path');
}

export const commandsOfStream = new ChapterBuilder(
  ['Migration stream', '4 Commands'],
  'stream-format.md §4',
  captureNeeds,
)
  .must('MIG-STR-CMD-01', 'a plain precopy opens no return path and sends no command of postcopy', async (t) => {
    const [, recording] = await capture(t, { image: null });
    const names = recording.commands.map(({ name }) => name).filter((name) => name !== 'SWITCHOVER_START');
    t.same(names.join(' '), '', 'commands');
  })
  .must(
    'MIG-STR-CMD-02',
    'with return-path the stream opens it and pings with 1 before the first section',
    async (t) => {
      const [, recording] = await capture(t, { image: null, capabilities: ['return-path'] });
      t.same(recording.words.slice(0, 4).join(', '), 'configuration, OPEN_RETURN_PATH, PING 1, START ram', 'order');
      const [open, ping] = recording.commands;
      t.same(open?.number, 1, 'number of OPEN_RETURN_PATH');
      t.same(ping?.number, 2, 'number of PING');
    },
  )
  .must(
    'MIG-STR-CMD-02.colo',
    'a source for COLO says so when the return path is open, before the first section',
    async (t) => {
      const one = await Captured.open(t, { image: null, capabilities: ['x-colo', 'return-path'] });
      await one.migrates();
      await one.until('colo');
      await one.peer.until('end-of-stream', one.session.deadline);
      const words = recorded(t, one.bytes()).words.slice(0, 5);
      t.same(words.join(', '), 'configuration, OPEN_RETURN_PATH, PING 1, ENABLE_COLO, START ram', 'order');
    },
    {
      needs: {
        capabilities: ['x-colo', 'return-path'],
        unless: ({ dialect }) => (dialect.stream.coloSection ? 'this release tells of COLO in a section' : undefined),
      },
    },
  )
  .must(
    'MIG-STR-CMD-03',
    'with postcopy-ram the stream advises of it before the memory, with both page sizes',
    async (t) => {
      const [, recording] = await capture(t, { image: null, ...postcopy });
      const words = recording.words.slice(0, 5).join(', ');
      t.same(words, 'configuration, OPEN_RETURN_PATH, PING 1, POSTCOPY_ADVISE, START ram', 'order');
      const advise = recording.commands[2];
      t.same(advise?.value, 4096, 'page sizes of RAM');
      t.same(advise?.targetPageSize, 4096, 'target page size');
    },
    { needs: postcopy },
  )
  .must(
    'MIG-STR-CMD-04',
    'the switch-over is announced where the release does so, before the last section of memory',
    async (t) => {
      const [, recording] = await capture(t);
      const { words } = recording;
      const at = words.indexOf('SWITCHOVER_START');
      t.check(at > 0 && words[at + 1] === 'END ram', 'SWITCHOVER_START before END', words.slice(-8).join(', '));
    },
    {
      needs: {
        unless: (facts) =>
          unlessExact(facts) ??
          (facts.dialect.stream.commands.includes('SWITCHOVER_START') ? undefined : 'no such command in this release'),
      },
    },
  )
  .must(
    'MIG-STR-CMD-10',
    'a destination answers every ping at once with the same value',
    (t) => t.observed('a load with a return path', answered, async (t) => void (await answersPings(t))),
    { needs: loadNeeds },
  )
  .must(
    'MIG-STR-CMD-11',
    'a second opening of the return path is passed over',
    (t) =>
      t.observed('a load with a return path', answered, async (t) => {
        const one = await destination(t);
        const feed = await one.loads();
        feed.begin().returnPath().returnPath().writer.ping(5);
        ramStart(feed.writer);
        feed.end().send();
        await one.until('completed');
        await feed.until('PONG and SHUT', () => feed.returned.length >= 16);
        t.same(feed.returned.toString('hex'), '00020004000000050001000400000000', 'the return path');
      }),
    { needs: loadNeeds },
  )
  .must(
    'MIG-STR-CMD-12',
    'outside a recovery, commands of recovery are passed over',
    (t) =>
      t.observed('a load with a return path', answered, async (t) => {
        const one = await destination(t);
        const feed = await one.loads();
        feed.begin().returnPath();
        ramStart(feed.writer);
        feed.writer.recvBitmap(block.name);
        feed.writer.command('POSTCOPY_RESUME');
        feed.writer.ping(6);
        feed.end().send();
        await one.until('completed');
        await feed.until('PONG and SHUT', () => feed.returned.length >= 16);
        t.same(feed.returned.toString('hex'), '00020004000000060001000400000000', 'the return path');
      }),
    { needs: { ...loadNeeds, unless: unlessExact } },
  )
  .must(
    'MIG-STR-CMD-13',
    'a package of items without postcopy is read, and the stream goes on behind it',
    (t) => takes(t, 'MIG-STR-CMD-13'),
    { needs: loadNeeds },
  )
  .must(
    'MIG-STR-CMD-14',
    'a package that ends without end mark and without POSTCOPY_RUN fails the load',
    (t) =>
      refuses(t, (writer, feed) => {
        feed.begin();
        ramStart(writer);
        writer.packaged(Buffer.alloc(0));
        feed.end();
      }),
    { needs: failNeeds },
  )
  .must('MIG-STR-CMD-15', 'a package may be large: there is no limit of 16 MiB', (t) => takes(t, 'MIG-STR-CMD-15'), {
    needs: loadNeeds,
  })
  .must('MIG-STR-CMD-16', 'the announcement of the switch-over is only a notice', (t) => takes(t, 'MIG-STR-CMD-16'), {
    needs: {
      ...loadNeeds,
      unless: ({ dialect }) =>
        dialect.stream.commands.includes('SWITCHOVER_START') ? undefined : 'no such command in this release',
    },
  })
  .must(
    'MIG-STR-CMD-17',
    'an advice is taken without an answer, and pings go on',
    (t) =>
      t.observed('a postcopy load', postcopyLoad, async (t) => {
        const one = await postcopyDestination(t);
        const feed = await one.loads();
        feed.begin().returnPath().writer.postcopyAdvise(4096);
        feed.writer.ping(9);
        feed.send();
        await feed.answer('PONG');
        t.same(feed.returned.length, 8, 'bytes on the return path');
        await one.statusIs('active');
      }),
    { needs: { ...loadNeeds, ...postcopy } },
  )
  .done();
