/** state-machine.md §3.4: the guest goes first and its memory follows. */
import { hasDefect } from '../../oracle/release.js';
import type { Trial } from '../../oracle/trial.js';
import { isObject, type JsonObject } from '../../protocol/json.js';
import { ReturnPathWriter, returnPathMessage } from '../../reference/stream/return-path-writer.js';
import { unlessExact } from '../commands/dialect-fit.js';
import { becomes } from '../commands/observe.js';
import { ChapterBuilder } from '../requirement.js';
import {
  beginPostcopy,
  hurry,
  inPostcopy,
  pauseNeeds,
  postcopyNeeds,
  postcopySource,
  switchPlots,
} from './postcopy.js';
import { finalWait, type Source } from './source.js';
import { device } from './story.js';
import { notFinalized } from './texts.js';

const pauses = { capabilities: ['pause-before-switchover'] } as const;

/** Postcopies of which one switches over in less than a millisecond, also on a busy machine: three in four do. */
const mostSwitches = 4;

/** Ends a postcopy well and checks the whole story. */
async function ends(t: Trial, one: Source, running = true): Promise<void> {
  // During the switch a source may set the limit that it read before, whatever it is told meanwhile.
  await one.peer.until('onward', one.session.deadline);
  await hurry(one);
  await one.until('completed');
  await one.runs('postmigrate');
  await one.emits(switchPlots(t, running).map((plot) => `setup P active P* ${plot} completed`));
}

const requests = (info: JsonObject): number => (isObject(info.ram) ? Number(info.ram['postcopy-requests']) : -1);

export const postcopy = new ChapterBuilder(['State machine', '3.4 Postcopy'], 'state-machine.md §3.4', postcopyNeeds)
  .must('MIG-SM-O50', 'asking for postcopy is answered at once, and may be done again', async (t) => {
    const one = await postcopySource(t, 'answer');
    await one.migrate();
    await one.until('active');
    for (let turn = 0; turn < 3; turn++) await one.does('migrate-start-postcopy');
    await one.until('postcopy-active');
    await one.does('migrate-start-postcopy');
    await ends(t, one);
  })
  .must('MIG-SM-O50.before', 'what was asked for after one migration does not switch the next one', async (t) => {
    const one = await postcopySource(t, 'answer');
    const nowhere = { uri: `unix:${one.instance.scratch}/absent.sock` };
    t.succeeded(await one.session.command('migrate', nowhere), 'migrate to nowhere');
    await one.until('failed');
    await one.does('migrate-start-postcopy');
    one.turn();
    await one.migrate();
    await one.until('active');
    await hurry(one);
    await one.until('completed');
    await one.runs('postmigrate');
    await one.emits(`setup P active P* S ${device(t)} P completed`);
  })
  .must('MIG-SM-O51', 'the switch to postcopy stops the guest for good, and the rest follows', async (t) => {
    const one = await inPostcopy(t);
    await one.statusIs('postcopy-active');
    await one.runStateIs('finish-migrate');
    await one.emits(switchPlots(t).map((plot) => `setup P active P* ${plot}`));
    await ends(t, one);
  })
  .must('MIG-SM-O51.stopped', 'the switch to postcopy of a stopped guest tells no STOP', async (t) => {
    const one = await inPostcopy(t, 'answer', { start: { paused: true } });
    await one.runStateIs('finish-migrate');
    await ends(t, one, false);
  })
  .must(
    'MIG-SM-O52',
    'pause-before-switchover holds the switch to postcopy',
    async (t) => {
      const one = await postcopySource(t, 'answer', pauses);
      await beginPostcopy(t, one);
      await one.until('pre-switchover');
      await one.runStateIs('finish-migrate');
      await one.emits('setup P active P* S pre-switchover');
    },
    { needs: pauses },
  )
  .must(
    'MIG-SM-O53',
    'migrate-continue lets the switch to postcopy go on',
    async (t) => {
      const one = await postcopySource(t, 'answer', pauses);
      await beginPostcopy(t, one);
      await one.until('pre-switchover');
      one.turn();
      await one.does('migrate-continue', { state: 'pre-switchover' });
      await one.until('postcopy-active');
      // The switch puts the bandwidth in force that was set when it began: a setting counts once the switch is made.
      await one.peer.until('switched', one.session.deadline);
      await hurry(one);
      await one.until('completed');
      await one.runs('postmigrate');
      await one.emits(switchPlots(t, false).map((plot) => `${plot} completed`));
    },
    { needs: pauses },
  )
  .must('MIG-SM-O54', 'asking for postcopy when all is sent already is accepted and ignored', async (t) => {
    const one = await finalWait(t, { capabilities: ['postcopy-ram'] });
    one.turn();
    await one.does('migrate-start-postcopy');
    await one.peer.release();
    await one.until('completed');
    await one.runs('postmigrate');
    await one.emits('completed');
  })
  .must(
    'MIG-SM-O54.held',
    'asking for postcopy in the pre-switchover of a precopy is accepted and ignored',
    async (t) => {
      const one = await postcopySource(t, 'answer', {
        ...pauses,
        parameters: { 'max-bandwidth': 0 },
      });
      await one.migrate();
      await one.until('pre-switchover');
      one.turn();
      await one.does('migrate-start-postcopy');
      await one.does('migrate-continue', { state: 'pre-switchover' });
      await one.until('completed');
      await one.runs('postmigrate');
      await one.emits('device P completed');
    },
    { needs: pauses },
  )
  .must('MIG-SM-O56', 'a page request is counted', async (t) => {
    const one = await inPostcopy(t);
    t.same(requests(await one.info()), 0, 'postcopy-requests before');
    const [block] = [...one.peer.blocks.keys()];
    one.peer.message(new ReturnPathWriter().requestPages(block as string, 8192, 4096));
    await becomes(t, one.session, 'query-migrate', 'one request', (info) => requests(info) === 1);
    await ends(t, one);
    t.same(requests(await one.info()), 1, 'postcopy-requests at the end');
  })
  .must('MIG-SM-O57', 'with nothing left to send the last message is waited for, in postcopy-active', async (t) => {
    const one = await inPostcopy(t, 'silent');
    await hurry(one);
    await one.peer.until('end-of-stream', one.session.deadline);
    await one.statusIs('postcopy-active');
    await one.runStateIs('finish-migrate');
    await one.emits(switchPlots(t).map((plot) => `setup P active P* ${plot}`));
  })
  .must('MIG-SM-O58', 'the last message completes the migration', async (t) => {
    const one = await inPostcopy(t, 'silent');
    await hurry(one);
    await one.peer.until('end-of-stream', one.session.deadline);
    one.turn();
    await one.peer.release();
    await one.until('completed');
    await one.runs('postmigrate');
    await one.tells('completed');
    await one.statusIs('completed');
  })
  .must('MIG-SM-O58.downtime', 'the downtime of a postcopy is not longer than the migration', async (t) => {
    // Whether a switch takes a whole millisecond is luck: a release that is known to stumble over it is given some turns.
    for (let turns = hasDefect(t.facts, 'MIG-DEF-14') ? mostSwitches : 1; turns > 0; turns--) {
      const one = await inPostcopy(t);
      await ends(t, one);
      const info = await one.info();
      const [downtime, total] = [Number(info.downtime), Number(info['total-time'])];
      t.check(Number.isInteger(downtime) && downtime >= 0, 'a number of milliseconds', `${info.downtime}`, 'downtime');
      if (downtime > total) return t.knownDefect('MIG-DEF-14', `at most ${total}`, `${downtime}`, 'downtime');
      if (downtime === 0) return;
    }
  })
  .must(
    'MIG-SM-O59',
    'an error in the last message fails the migration',
    async (t) => {
      const one = await inPostcopy(t, 'error');
      await hurry(one);
      await one.until('failed');
      const { postcopyFailureResumes } = t.dialect.migration;
      await one.runs(postcopyFailureResumes ? 'running' : 'postmigrate');
      const end = postcopyFailureResumes ? 'failed R' : 'failed';
      await one.emits(switchPlots(t).map((plot) => `setup P active P* ${plot} ${end}`));
      await one.statusIs('failed');
    },
    { needs: { unless: unlessExact } },
  )
  .must(
    'MIG-SM-O60',
    'a peer that goes pauses the postcopy',
    async (t) => {
      const one = await inPostcopy(t);
      one.turn();
      one.peer.cut();
      await one.until('postcopy-paused');
      await one.tells('postcopy-paused');
      await one.statusIs('postcopy-paused');
      await one.runStateIs('finish-migrate');
    },
    { needs: pauseNeeds },
  )
  .must(
    'MIG-SM-O60.pause',
    'migrate-pause pauses the postcopy and closes the channel',
    async (t) => {
      const one = await inPostcopy(t);
      one.turn();
      await one.does('migrate-pause');
      await one.until('postcopy-paused');
      await one.peer.until('closed', one.session.deadline);
      await one.emits('postcopy-paused');
      await one.runStateIs('finish-migrate');
    },
    { needs: pauseNeeds },
  )
  .must(
    'MIG-SM-O61',
    'a bad message of the peer pauses the postcopy, or fails it in releases that notice it at the end',
    async (t) => {
      const one = await inPostcopy(t);
      one.turn();
      // A release that pauses then never recovers.
      t.spoils(one.instance);
      one.peer.message(returnPathMessage(255, Buffer.alloc(0)));
      if (t.dialect.migration.returnPathErrorsLate) {
        await hurry(one);
        await one.until('failed');
        await one.runs('running');
        return one.emits('failed R');
      }
      await one.until('postcopy-paused');
      await one.emits('postcopy-paused');
      await one.runStateIs('finish-migrate');
    },
    { needs: { ...pauseNeeds, unless: unlessExact } },
  )
  .must(
    'MIG-SM-O61.misaligned',
    'a request that is not page-aligned pauses or fails the postcopy',
    async (t) => {
      const one = await inPostcopy(t);
      one.turn();
      // A release that pauses then never recovers.
      t.spoils(one.instance);
      const [block] = [...one.peer.blocks.keys()];
      one.peer.message(new ReturnPathWriter().requestPages(block as string, 100, 4096));
      if (t.dialect.migration.returnPathErrorsLate) {
        await hurry(one);
        await one.until('failed');
        await one.runs('running');
        return one.emits('failed R');
      }
      await one.until('postcopy-paused');
      await one.emits('postcopy-paused');
    },
    { needs: { ...pauseNeeds, unless: unlessExact } },
  )
  .must('MIG-SM-O63', 'a PONG and a RESUME_ACK out of place are ignored', async (t) => {
    const one = await inPostcopy(t);
    // Releases keep it for the next recovery, which then does not wait for its own and hangs.
    t.spoils(one.instance);
    const writer = new ReturnPathWriter();
    one.peer.message(Buffer.concat([writer.pong(4711), writer.resumeAck(1), writer.pong(0)]));
    const [block] = [...one.peer.blocks.keys()];
    // A request behind them: when it is counted they have been read.
    one.peer.message(writer.requestPages(block as string, 0, 4096));
    await becomes(t, one.session, 'query-migrate', 'one request', (info) => requests(info) === 1);
    await one.statusIs('postcopy-active');
    await ends(t, one);
  })
  .must('MIG-SM-O64', 'cont is refused in postcopy-active', async (t) => {
    const one = await inPostcopy(t);
    one.turn();
    const reply = await one.session.command('cont');
    if (reply.kind === 'success') return t.knownDefect('MIG-DEF-05', 'a refusal', reply, 'cont');
    t.failed(reply, 'GenericError', notFinalized);
    await one.tells('✗cont');
    await one.runStateIs('finish-migrate');
  })
  .must('MIG-SM-O54.unused', 'a migration with postcopy allowed and not asked for ends as precopy', async (t) => {
    const one = await postcopySource(t, 'answer', { parameters: { 'max-bandwidth': 0 } });
    await one.migrate();
    await one.until('completed');
    await one.runs('postmigrate');
    await one.emits(`setup P active P* S ${device(t)} P completed`);
  })
  .done();
