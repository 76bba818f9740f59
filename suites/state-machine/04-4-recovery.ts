/** state-machine.md §4.4: a destination whose paused postcopy is taken up again, fed by hand. */
import type { Trial } from '../../oracle/trial.js';
import { unlessExact } from '../commands/dialect-fit.js';
import { offeredByAll, oobNeeds } from '../qmp-protocol/oob-target.js';
import { ChapterBuilder } from '../requirement.js';
import { Actor } from './actor.js';
import { awaitOrDefect } from './defects.js';
import { block, Feed } from './feed.js';
import { incomingPostcopyNeeds, lost, recovering, running } from './in-postcopy.js';

export const incomingRecovery = new ChapterBuilder(
  ['State machine', '4.4 Incoming: recovery'],
  'state-machine.md §4.4',
  incomingPostcopyNeeds,
)
  .must(
    'MIG-SM-I50',
    'migrate-recover listens anew and leaves the state as it is',
    async (t) => {
      const both = await lost(t);
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
      const [one] = both;
      await one.emits(`${recoverSetup(t)} postcopy-recover`);
      await one.statusIs('postcopy-recover');
      await one.runStateIs('running');
    },
    { needs: { unless: unlessExact } },
  )
  .must(
    'MIG-SM-I52.oob',
    'migrate-pause and migrate-recover act out of band as they do in band',
    async (t) => {
      const oob = !offeredByAll(t.facts);
      const both = await running(t, { monitors: [{ transport: 'unix' }, { transport: 'unix', oob }] });
      const [one, feed] = both;
      const beside = await t.session({ to: one.instance, monitor: 1, enable: ['oob'] });
      t.equal(t.succeeded(await beside.command('migrate-pause', undefined, { oob: true })), {}, 'migrate-pause');
      await one.until('postcopy-paused');
      await feed.until('the end of the connection', () => feed.closed);
      const other = new Actor(t, one.instance, beside);
      await other.statusIs('postcopy-paused');
      const path = `${one.instance.scratch}/again.sock`;
      const reply = await beside.command('migrate-recover', { uri: `unix:${path}` }, { oob: true });
      t.equal(t.succeeded(reply), {}, 'migrate-recover');
      const again = await Feed.open(t, path, 'again');
      if (t.dialect.migration.activeWithBytes) {
        again.writer.ping(1);
        again.send('a ping: it waits for the first bytes');
      }
      await one.until('postcopy-recover');
      for (const actor of [one, other]) await actor.statusIs('postcopy-recover');
    },
    { needs: oobNeeds, tags: ['QMP-OOB-02', 'QMP-OOB-05'] },
  )
  .must('MIG-SM-I53', 'it tells which pages have arrived', async (t) => {
    const both = await recovering(t);
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
    const [one, feed] = both;
    one.turn();
    feed.raw(Buffer.from([9, 9, 9, 9]));
    const came = await awaitOrDefect(t, 'MIG-DEF-07', 'event MIGRATION postcopy-paused', (deadline) =>
      one.untilWithin(deadline === undefined ? undefined : deadline * 10, 'postcopy-paused'),
    );
    if (came) await one.emits('postcopy-paused');
  })
  .done();

/** Whether migrate-recover tells setup. */
function recoverSetup(t: Trial): string {
  return t.dialect.migration.recoverAgain.setup ? 'setup' : '';
}
