/** state-machine.md §3.6, §4.5: two guests that run side by side. */
import { withoutExtensions } from '../../oracle/members-beyond.js';
import { event } from '../../oracle/patterns.js';
import { hasDefect } from '../../oracle/release.js';
import type { Trial } from '../../oracle/trial.js';
import type { JsonObject } from '../../protocol/json.js';
import { eventName } from '../../protocol/message.js';
import { isOurMachine } from '../../targets/machine.js';
import { unlessExact } from '../commands/dialect-fit.js';
import { ChapterBuilder } from '../requirement.js';
import type { Actor } from './actor.js';
import { awaitOrDefect, unlessHangs } from './defects.js';
import { setupWord } from './destination.js';
import { type Pair, pair, pairNeeds } from './pair.js';
import { peerNeeds, type Source, type SourceOptions, source } from './source.js';
import { device, eventsOf, tells } from './story.js';

/** The secondary's message that it is ready for checkpoints (stream-format.md §12). */
const checkpointReady = Buffer.alloc(4);

/** Where the end of COLO has an event of its own, another thread tells it: before the RESUME of the guest, behind it, or later. */
const exitWord = (t: Trial): string => (t.dialect.migration.coloSecondaryRuns ? 'COLO_EXIT?' : '');

/** What must be on for two guests to run side by side. */
const capabilitiesOf = (t: Trial): readonly string[] =>
  t.dialect.migration.coloNeedsReturnPath ? ['x-colo', 'return-path'] : ['x-colo'];

/** A primary that waits for its secondary. */
async function primary(t: Trial, options: SourceOptions = {}): Promise<Source> {
  const one = await source(t, 'answer', { ...options, capabilities: capabilitiesOf(t) });
  await one.migrate();
  await one.until('colo');
  await one.peer.until('end-of-stream', one.session.deadline);
  return one;
}

/** Primary and secondary, both running side by side. */
async function sideBySide(t: Trial, parameters = {}): Promise<Pair> {
  const two = await pair(t, { both: capabilitiesOf(t), parameters });
  await two.migrate();
  await two.source.until('colo');
  await two.destination.until('colo');
  await two.source.runs('running');
  return two;
}

/** Looks at a pair that makes one checkpoint after another. Machines with processors may stand still in some releases. */
async function checkpointing(t: Trial, look: (two: Pair) => Promise<void>): Promise<void> {
  const all = async () => look(await sideBySide(t, { 'x-checkpoint-delay': 30 }));
  if (isOurMachine(t.facts)) return all();
  await unlessHangs(t, 'MIG-DEF-50', 'checkpoints', all);
}

/** The failover, and what it tells. */
async function failover(t: Trial, one: Actor, plot: string): Promise<void> {
  await one.does('x-colo-lost-heartbeat');
  await one.until('completed');
  await one.runs('running');
  tells(t, eventsOf(await one.story()), plot);
  const info = await one.info();
  t.same(info.status, 'completed', 'status');
}

/** The event with which COLO ends, where dialects have one: once, with the side that ends it. It may still be on its way. */
async function exits(
  t: Trial,
  { session, mark }: Actor,
  mode: 'primary' | 'secondary',
  reasons: readonly string[] = ['request', 'error'],
): Promise<void> {
  if (!t.dialect.migration.coloSecondaryRuns) return;
  const { data } = (await session.event('COLO_EXIT', { since: mark })).value as { data?: JsonObject };
  t.same(data?.mode, mode, 'mode of COLO_EXIT');
  t.check(reasons.includes(String(data?.reason)), reasons, String(data?.reason), 'reason of COLO_EXIT');
  await session.fence();
  t.same(session.since(mark).filter((message) => eventName(message) === 'COLO_EXIT').length, 1, 'events COLO_EXIT');
}

export const colo = new ChapterBuilder(['State machine', '3.6 COLO'], 'state-machine.md §3.6, §4.5', {
  abilities: [...new Set([...peerNeeds.abilities, ...pairNeeds.abilities])],
  capabilities: ['x-colo'],
  commands: ['x-colo-lost-heartbeat'],
  unless: (facts) =>
    unlessExact(facts) ?? (hasDefect(facts, 'MIG-DEF-41') ? 'COLO does not come about in it (MIG-DEF-41)' : undefined),
})
  .must(
    'MIG-SM-O80',
    'with x-colo the switch-over ends in colo, which shows no figures',
    async (t) => {
      const one = await primary(t);
      await one.tells(`setup ↵migrate P active P* S ${device(t)} P colo`);
      const info = withoutExtensions(t.facts.schema, 'query-migrate', await one.info());
      t.same(info, { status: 'colo' }, 'query-migrate');
    },
    { tags: ['MIG-SM-O41'] },
  )
  .must('MIG-SM-O41', 'with x-colo there is no completed at the end of the stream', async (t) => {
    const one = await primary(t);
    const words = await one.story();
    t.check(!words.includes('completed'), 'no event completed', words.join(' '));
    await one.runStateIs('finish-migrate', 'colo');
  })
  .must('MIG-SM-O81', 'a secondary that is ready lets the guest go on', async (t) => {
    const one = await primary(t);
    one.turn();
    one.peer.message(checkpointReady);
    await one.runs('running');
    await one.tells('R');
    await one.statusIs('colo');
  })
  .must('MIG-SM-O81.stopped', 'a secondary that is ready lets a guest run that was stopped before', async (t) => {
    const one = await primary(t, { start: { paused: true } });
    one.turn();
    one.peer.message(checkpointReady);
    await one.runs('running');
    await one.tells('R');
  })
  .must('MIG-SM-O84', 'the failover of the primary completes the migration with the guest running', async (t) => {
    const one = await primary(t);
    one.peer.message(checkpointReady);
    await one.runs('running');
    one.turn();
    await failover(t, one, `S completed ${exitWord(t)} R ${exitWord(t)}`);
    await exits(t, one, 'primary');
    t.same((await one.info())['total-time'], 0, 'total-time');
    const again = await one.session.command('x-colo-lost-heartbeat');
    t.failed(again, 'GenericError', t.dialect.migration.coloIdleText, 'a second one');
  })
  .must('MIG-SM-O85', 'a cancel in colo is ignored, or stays in cancelling', async (t) => {
    const one = await primary(t);
    one.peer.message(checkpointReady);
    await one.runs('running');
    one.turn();
    await one.does('migrate_cancel');
    if (t.dialect.migration.cancelInColo === 'cancelling') {
      await one.statusIs('cancelling');
      return one.tells(`cancelling ↵migrate_cancel ${exitWord(t)}`);
    }
    await one.tells('↵migrate_cancel');
    await one.statusIs('colo');
  })
  .must('MIG-SM-I60', 'a stream that asks for COLO makes the destination a secondary', async (t) => {
    const two = await sideBySide(t);
    const { coloSecondaryRuns } = t.dialect.migration;
    await two.destination.runs(coloSecondaryRuns ? 'running' : 'inmigrate');
    const words = eventsOf(await two.destination.story());
    // Checkpoints may begin while we look.
    tells(t, words, `${setupWord(t)} active colo ${coloSecondaryRuns ? 'R S* R*' : 'RESET*'}`);
    t.same((await two.destination.info()).status, 'colo', 'status');
  })
  .should('MIG-SM-O82', 'checkpoints stop and resume the primary', (t) =>
    checkpointing(t, async (two) => {
      two.source.turn();
      const every = t.dialect.migration.passesTold === 'every';
      for (let passed = 0; passed < 2; passed++) {
        const { session } = two.source;
        const since = session.mark();
        if (every) await session.event('MIGRATION_PASS', { since });
        else await session.event('STOP', { since });
        await session.event('RESUME', { since });
      }
      const words = (await two.source.story()).join(' ');
      // We may have begun to listen, and stop, anywhere within a checkpoint.
      const shape = every ? /^(((S )?P )?R )?(S P R ){1,}(S ?(P ?)?)?$/ : /^((P )?R )?(S (P )?R ){1,}(S ?(P ?)?)?$/;
      t.check(shape.test(`${words} `), 'STOP, a pass, RESUME, again and again', words);
    }),
  )
  .should('MIG-SM-I61', 'checkpoints show at the secondary', (t) =>
    checkpointing(t, async (two) => {
      const { session } = two.destination;
      const since = session.mark();
      if (!t.dialect.migration.coloSecondaryRuns) {
        const reset = await session.event('RESET', { since });
        t.sequence([reset], [event('RESET', { guest: false })]);
        return;
      }
      await session.event('STOP', { since });
      await session.event('RESUME', { since });
      t.same((await two.destination.info()).status, 'colo', 'status');
    }),
  )
  .must(
    'MIG-SM-O83',
    'the end of the secondary leaves the primary as it is, until a failover',
    async (t) => {
      const two = await sideBySide(t);
      two.source.turn();
      two.destination.instance.kill('SIGKILL');
      await two.destination.session.eof();
      await two.source.session.fence();
      await two.source.statusIs('colo');
      await two.source.runStateIs('running');
      await failover(t, two.source, `COLO_EXIT? S completed ${exitWord(t)} R ${exitWord(t)}`);
      await exits(t, two.source, 'primary');
    },
    { tags: ['MIG-SM-O84'] },
  )
  .must('MIG-SM-I62', 'the end of the primary leaves the secondary waiting', async (t) => {
    const two = await sideBySide(t);
    two.destination.turn();
    two.source.instance.kill('SIGKILL');
    await two.source.session.eof();
    await two.destination.session.fence();
    await two.destination.statusIs('colo');
    await exits(t, two.destination, 'secondary', ['error']);
    await two.destination.emits(t.dialect.migration.coloSecondaryRuns ? 'R? S? COLO_EXIT' : '');
  })
  .must(
    'MIG-SM-I63',
    'the failover of the secondary completes the load with the guest running',
    async (t) => {
      const two = await sideBySide(t);
      await two.destination.runs(t.dialect.migration.coloSecondaryRuns ? 'running' : 'inmigrate');
      two.destination.turn();
      const plot = t.dialect.migration.coloSecondaryRuns ? 'S completed COLO_EXIT? R COLO_EXIT?' : 'RESET* completed R';
      await awaitOrDefect(t, 'MIG-DEF-16', 'a secondary that goes on', async () => {
        await failover(t, two.destination, plot);
        await exits(t, two.destination, 'secondary');
      });
    },
    { tags: ['MIG-SM-R14'] },
  )
  .must('MIG-SM-R14', 'the reply to a failover comes anywhere among its events', async (t) => {
    const one = await primary(t);
    one.peer.message(checkpointReady);
    await one.runs('running');
    one.turn();
    await one.does('x-colo-lost-heartbeat');
    await one.until('completed');
    await one.runs('running');
    const words = await one.story();
    t.check(words.filter((word) => word === '↵x-colo-lost-heartbeat').length === 1, 'one reply', words.join(' '));
    tells(t, eventsOf(words), `S? completed ${exitWord(t)} R ${exitWord(t)}`);
  })
  .done();
