/** state-machine.md §4.3, §5.3: a destination in postcopy, fed by hand. */
import { join } from 'node:path';
import { hasDefect } from '../../oracle/release.js';
import type { JsonObject } from '../../protocol/json.js';
import { isReply } from '../../protocol/message.js';
import { ChapterBuilder } from '../requirement.js';
import { postcopyDestination, setupWord } from './destination.js';
import { disorder } from './disorder.js';
import { block } from './feed.js';
import { incomingPostcopyNeeds, running } from './in-postcopy.js';
import { postcopyLoad } from './one-load.js';
import { storySoFar, tells } from './story.js';

const builder = new ChapterBuilder(
  ['State machine', '4.3 Incoming: postcopy'],
  'state-machine.md §4.3',
  incomingPostcopyNeeds,
);

for (const [id, what, write, defect] of disorder) {
  builder.must(id, `${what} fails the load, and the process ends with exit status 1`, async (t) => {
    const one = await postcopyDestination(t);
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
    (t) =>
      t.observed('a postcopy load', postcopyLoad, async (t) => {
        const one = await postcopyDestination(t);
        const feed = await one.loads();
        one.turn();
        feed.postcopy().writer.ping(7);
        feed.send();
        await feed.answer('PONG');
        await one.statusIs('active');
        await one.runStateIs('inmigrate');
        await one.tells('');
      }),
    { tags: ['MIG-SM-I32'] },
  )
  .must('MIG-SM-I32', 'a discard may be followed by others', (t) =>
    t.observed('a postcopy load', postcopyLoad, async (t) => {
      const one = await postcopyDestination(t);
      const feed = await one.loads();
      feed.postcopy();
      for (let page = 0; page < 64; page++) {
        feed.writer.postcopyDiscard(block.name, [{ start: page * 4096, length: 4096 }]);
      }
      feed.writer.ping(8);
      feed.send();
      t.same((await feed.answer('PONG')).type, 'PONG', 'answer behind the discards');
      await one.statusIs('active');
    }),
  )
  .must('MIG-SM-I34', 'LISTEN makes it postcopy-active while the guest still waits', (t) =>
    t.observed('a postcopy load', postcopyLoad, async (t) => {
      const one = await postcopyDestination(t);
      const feed = await one.loads();
      one.turn();
      // A package cannot end behind LISTEN alone, so the guest runs a moment later.
      feed.postcopy().package('POSTCOPY_LISTEN', 'POSTCOPY_RUN').send();
      await one.until('postcopy-active');
      await one.runs('running');
      await one.tells('postcopy-active R');
      await one.statusIs('postcopy-active');
    }),
  )
  .must('MIG-SM-I36', 'RUN starts the guest, whatever it did at the source', async (t) => {
    const one = await postcopyDestination(t);
    const feed = await one.loads();
    one.turn();
    feed.postcopy().runState('paused').package('POSTCOPY_LISTEN', 'POSTCOPY_RUN').send();
    await one.until('postcopy-active');
    await one.runs('running');
    await one.tells('postcopy-active R');
  })
  .must('MIG-SM-I36.stopped', 'RUN does not start the guest of a destination started with -S', async (t) => {
    const both = await running(t, { paused: true });
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
    const feed = await one.loads();
    one.turn();
    feed.postcopy().writer.rawCommand(200, Buffer.alloc(0));
    feed.send();
    const exit = await one.exits();
    if (exit.signal !== null) {
      const defect = hasDefect(t.facts, 'MIG-DEF-33') ? 'MIG-DEF-33' : 'MIG-DEF-13';
      return t.knownDefect(defect, 'exit status 1', `killed by ${exit.signal}`);
    }
    t.check(exit.code === 1, 'exit status 1', `${exit.code}`);
    tells(t, storySoFar(t, one.session, one.mark), 'failed?');
  })
  .must('MIG-SM-I39', 'a second return path and commands of a recovery out of place do not end the load', async (t) => {
    const one = await postcopyDestination(t);
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
    // It is sent before the event, and may be read after it.
    await feed.answer('SHUT');
    t.same(
      feed.answers.map(({ type }) => type),
      ['PONG', 'SHUT'],
      'the return path',
    );
  })
  .must(
    'MIG-SM-O56.destination',
    'a destination asks for a page that is needed and missing: whole, by its block and offset',
    async (t) => {
      const both = await running(t);
      const [one, feed] = both;
      const page = 5;
      const args = { val: page * 4096, size: 4096, filename: join(one.instance.scratch, 'page.bin') };
      const id = one.session.post('pmemsave', args);
      const asked = () => feed.answers.find(({ type }) => type === 'REQ_PAGES_ID' || type === 'REQ_PAGES');
      const reply = one.session.reply(id);
      await Promise.race([feed.until('a page request', () => asked() !== undefined), reply]);
      const request = asked();
      if (request === undefined) {
        // It reads around the guest, or not at all.
        t.check(isReply(await reply), 'an answer', 'none', 'pmemsave');
        return;
      }
      const { type = '', block: name = '', start = -1, length = -1 } = request as unknown as JsonObject;
      t.same([type, name, length], ['REQ_PAGES_ID', block.name, 4096], 'the first request, its block and length');
      const whole = Number(start) % 4096 === 0 && Number(start) < block.length;
      t.check(whole, 'the offset of a page', String(start), 'the first request');
      feed.rest();
      feed.writer.eof();
      feed.send('the rest');
      await one.until('completed');
      t.check(isReply(await reply), 'an answer', 'none', 'pmemsave');
    },
    { needs: { commands: ['pmemsave'] } },
  )
  .must('MIG-SM-I45', 'the end of the stream completes the load and says so to the source', (t) =>
    t.observed('a postcopy load', postcopyLoad, async (t) => {
      const both = await running(t);
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
    }),
  )
  .must('MIG-SM-I46', 'a channel that is lost pauses the postcopy, and the guest goes on', async (t) => {
    const both = await running(t);
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
  .must('MIG-SM-I47', 'migrate-recover is refused while the postcopy is active', (t) =>
    t.observed('a postcopy load', postcopyLoad, async (t) => {
      const both = await running(t);
      const [one] = both;
      one.turn();
      const reply = await one.session.command('migrate-recover', { uri: one.uri });
      t.failed(reply, 'GenericError', 'Migrate recover can only be run when postcopy is paused.');
      await one.tells('✗migrate-recover');
      await one.statusIs('postcopy-active');
    }),
  )
  .must('MIG-SM-R11.fed', 'the events of a load by postcopy come in order', async (t) => {
    const one = await postcopyDestination(t);
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
