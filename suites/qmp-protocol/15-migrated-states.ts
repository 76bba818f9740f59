/** qmp-protocol.md §9 and §15: run states and events around a migration. */
import { event } from '../../oracle/patterns.js';
import { hasDefect } from '../../oracle/release.js';
import type { Trial } from '../../oracle/trial.js';
import type { Session } from '../../protocol/session.js';
import type { TargetFacts } from '../../targets/facts.js';
import { ChapterBuilder } from '../requirement.js';
import { awaitOrDefect } from '../state-machine/defects.js';
import {
  migrateFully,
  migrateHeld,
  migrationPair,
  migrationSource,
  pairNeeds,
  reached,
  runState,
  settled,
} from './migrating.js';
import { done, faulty } from './shapes.js';

const busy = "There's a migration process in progress";

/** Releases that put off what a client asks of the process. */
const waits = 'QMP-BUG-09';

const resets = (facts: TargetFacts) =>
  facts.dialect.protocol.json === 'baseline' ? 'the baseline lets it go on, and crashes for it' : undefined;

/** Run state of the destination after a whole migration, and whether it told of RESUME. */
async function destinationEnd(
  t: Trial,
  options: { paused?: boolean; source?: 'stop' | 'prelaunch'; commands?: readonly string[] },
  expected: string,
): Promise<void> {
  const pair = await migrationPair(t, {
    source: options.source === 'prelaunch' ? { paused: true } : {},
    destination: options.paused ? { paused: true } : {},
  });
  if (options.source === 'stop') await pair.source.command('stop');
  for (const command of options.commands ?? []) t.succeeded(await pair.destination.command(command), command);
  await migrateFully(t, pair);
  await reached(pair.destination, 'completed');
  await settled(t, pair.destination, expected);
  const resumed = t.eventNames(pair.destination.log).filter((name) => name === 'RESUME').length;
  t.equal(resumed, expected === 'running' ? 1 : 0, 'RESUME events of the destination');
}

/** A reset is told once, on either side of its reply. */
async function resetsOnce(t: Trial, session: Session): Promise<void> {
  const since = session.mark();
  t.succeeded(await session.command('system_reset'));
  await session.event('RESET', { since });
  const names = t.eventNames(await session.fence(since));
  t.same(names.filter((name) => name === 'RESET').length, 1, 'events RESET');
}

export const migratedStates = new ChapterBuilder(
  ['QMP protocol', '15 Run states', 'Around a migration'],
  'qmp-protocol.md §15',
  pairNeeds,
)
  .must(
    'QMP-RUN-05',
    'finish-migrate: stop keeps the state, and no second migration starts',
    async (t) => {
      const pair = await migrationSource(t, { hold: true });
      await migrateHeld(t, pair);
      const { source } = pair;
      t.equal(await runState(t, source), 'finish-migrate', 'the state');
      t.matches(await source.command('stop', undefined, { id: 1 }), done({}, { id: 1 }));
      t.matches(await source.command('migrate', { uri: pair.uri }, { id: 2 }), faulty(busy, { id: 2 }));
      t.equal(await runState(t, source), 'finish-migrate', 'the state afterwards');
    },
    { tags: ['QMP-RUN-11'] },
  )
  .must(
    'QMP-D-62',
    'finish-migrate: cont is refused, and system_reset keeps the state',
    async (t) => {
      const pair = await migrationSource(t, { hold: true });
      await migrateHeld(t, pair);
      t.failed(await pair.source.command('cont'), 'GenericError', 'Migration is not finalized yet');
      if (hasDefect(t.facts, waits)) {
        const since = pair.source.mark();
        const reset = (deadline?: number) => pair.source.event('RESET', { since, ...(deadline && { deadline }) });
        t.succeeded(await pair.source.command('system_reset'));
        if (await awaitOrDefect(t, waits, 'event RESET', reset)) return;
        t.equal(await runState(t, pair.source), 'finish-migrate', 'the state');
        t.succeeded(await pair.source.command('migrate-continue', { state: 'pre-switchover' }));
        return void (await reset());
      }
      await resetsOnce(t, pair.source);
      t.equal(await runState(t, pair.source), 'finish-migrate', 'the state');
    },
    { needs: { unless: resets } },
  )
  .must(
    'QMP-D-44',
    'quit in pre-switchover also cancels the migration',
    async (t) => {
      const pair = await migrationSource(t, { hold: true });
      await migrateHeld(t, pair);
      const mark = pair.source.mark();
      pair.source.post('quit', undefined, { id: 'quit' });
      if (!(await awaitOrDefect(t, waits, 'end of file', (deadline) => pair.source.eof(deadline)))) {
        t.equal(await runState(t, pair.source), 'finish-migrate', 'the state');
        pair.source.post('migrate-continue', { state: 'pre-switchover' });
        await pair.source.eof();
        return t.same((await pair.sourceInstance.exited(5000)).code, 0, 'exit status');
      }
      const answers = pair.source.replies(mark);
      t.sequence(answers, [done({}, { id: 'quit' })]);
      const names = t.eventNames(pair.source.since(mark));
      t.equal(names[0] ?? 'none', 'SHUTDOWN', 'the first event');
      t.check(names.includes('MIGRATION(cancelling)'), 'MIGRATION(cancelling)', names.join());
      t.same(names.filter((name) => name === 'SHUTDOWN').length, 1, 'events SHUTDOWN');
      t.equal((await pair.sourceInstance.exited(5000)).code, 0, 'exit status');
    },
    { needs: { abilities: ['exit'], unless: resets } },
  )
  .must(
    'QMP-RUN-06',
    'postmigrate: stop keeps the state, cont starts the guest again',
    async (t) => {
      const pair = await migrationSource(t);
      await migrateFully(t, pair);
      const { source } = pair;
      t.sequence(await source.exchange('{"execute":"stop","id":1}'), [done({}, { id: 1 })]);
      t.equal(await runState(t, source), 'postmigrate', 'the state after stop');
      t.sequence(await source.exchange('{"execute":"cont","id":2}'), [event('RESUME'), done({}, { id: 2 })]);
      t.equal(await runState(t, source), 'running', 'the state after cont');
    },
    { tags: ['QMP-RUN-12', 'QMP-RUN-18'] },
  )
  .must('QMP-RUN-06.reset', 'postmigrate: system_reset leads to prelaunch', async (t) => {
    const pair = await migrationSource(t);
    await migrateFully(t, pair);
    await resetsOnce(t, pair.source);
    t.equal(await runState(t, pair.source), 'prelaunch', 'the state');
  })
  .must(
    'QMP-RUN-06.migrate',
    'postmigrate: another migration is refused, where the dialect refuses it',
    async (t) => {
      const pair = await migrationSource(t);
      await migrateFully(t, pair);
      const text = t.dialect.migration.fromPostmigrate as string;
      t.failed(await pair.source.command('migrate', { uri: pair.uri }), 'GenericError', text);
      t.equal(await runState(t, pair.source), 'postmigrate', 'the state');
    },
    {
      tags: ['QMP-D-63'],
      needs: {
        unless: ({ dialect }) => (dialect.migration.fromPostmigrate === undefined ? 'it is allowed' : undefined),
      },
    },
  )
  .must('QMP-RUN-12', 'completion leaves the source in postmigrate, whether it ran before or not', async (t) => {
    for (const paused of [false, true]) {
      const pair = await migrationSource(t, { source: { paused } });
      await migrateFully(t, pair);
      const stops = t.eventNames(pair.source.log).filter((name) => name === 'STOP').length;
      t.equal(stops, paused ? 0 : 1, 'STOP events');
    }
  })
  .must(
    'QMP-RUN-13',
    'cancelling in pre-switchover lets a guest that ran run again',
    async (t) => {
      const pair = await migrationSource(t, { hold: true });
      await migrateHeld(t, pair);
      const mark = pair.source.mark();
      t.succeeded(await pair.source.command('migrate_cancel'));
      await reached(pair.source, 'cancelled', mark);
      await settled(t, pair.source, 'running');
      const names = t.eventNames(pair.source.since(mark)).filter((name) => !name.startsWith('MIGRATION_PASS'));
      t.check(names.filter((name) => name === 'RESUME').length === 1, 'RESUME once', names.join());
      // Racy: the migration thread may say device before it notices, and either may be told first.
      const statuses = names.filter((name) => name !== 'RESUME' && name !== 'MIGRATION(device)').join();
      t.equal(statuses, 'MIGRATION(cancelling),MIGRATION(cancelled)', 'statuses');
    },
    { tags: ['QMP-EVT-28'] },
  )
  .must(
    'QMP-RUN-13.stopped',
    'cancelling in pre-switchover leaves a guest that was stopped as the dialect has it',
    async (t) => {
      const pair = await migrationSource(t, { hold: true });
      await pair.source.command('stop');
      await migrateHeld(t, pair);
      t.succeeded(await pair.source.command('migrate_cancel'));
      await reached(pair.source, 'cancelled');
      const former = t.dialect.migration.stoppedGuestAfterFailure === 'former';
      await settled(t, pair.source, former ? 'paused' : 'postmigrate');
      t.succeeded(await pair.source.command('cont'));
      t.equal(await runState(t, pair.source), 'running', 'the state after cont');
    },
    { tags: ['QMP-D100-06'] },
  )
  .must('QMP-RUN-14', 'an attempt that fails early leaves a running source running', async (t) => {
    const pair = await migrationSource(t);
    t.succeeded(await pair.source.command('migrate', { uri: `${pair.uri}.absent` }), 'migrate');
    await reached(pair.source, 'failed');
    await settled(t, pair.source, 'running');
    t.check(!t.eventNames(pair.source.log).includes('STOP'), 'no STOP', 'STOP');
  })
  .must('QMP-RUN-15', 'the destination ends in running if the source ran', (t) => destinationEnd(t, {}, 'running'))
  .must('QMP-RUN-16', 'a destination started with -S ends paused', (t) => destinationEnd(t, { paused: true }, 'paused'))
  .must('QMP-RUN-16.cont', 'cont undoes the -S of the destination', (t) =>
    destinationEnd(t, { paused: true, commands: ['cont'] }, 'running'),
  )
  .must('QMP-RUN-16.stop', 'a destination that was stopped ends paused', (t) =>
    destinationEnd(t, { commands: ['cont', 'stop'] }, 'paused'),
  )
  .must('QMP-RUN-16.last', 'the last of stop and cont decides', (t) =>
    destinationEnd(t, { commands: ['stop', 'cont'] }, 'running'),
  )
  .must('QMP-RUN-17', 'the destination of a paused source ends paused, whatever cont said', (t) =>
    destinationEnd(t, { source: 'stop', commands: ['cont'] }, 'paused'),
  )
  .must('QMP-RUN-17.prelaunch', 'the destination of a source that never ran ends in prelaunch', (t) =>
    destinationEnd(t, { source: 'prelaunch' }, 'prelaunch'),
  )
  .must('QMP-EVT-27', 'migrate-continue: pre-switchover, device, completed', async (t) => {
    const pair = await migrationSource(t, { hold: true });
    await migrateHeld(t, pair);
    const { source } = pair;
    const before = t.eventNames(source.since(0));
    t.equal(before.at(-2) ?? '', 'STOP', 'the event before pre-switchover');
    const mark = source.mark();
    const id = source.post('migrate-continue', { state: 'pre-switchover' });
    const reply = await source.reply(id, { since: mark });
    t.succeeded(reply);
    const device = await reached(source, 'device', mark);
    await reached(source, 'completed', mark);
    const statuses = t.eventNames(source.since(mark)).filter((name) => name.startsWith('MIGRATION('));
    t.equal(statuses.join(), 'MIGRATION(device),MIGRATION(completed)', 'statuses');
    if (!t.dialect.migration.lateReplies) t.check(reply.index < device.index, 'the reply before device', device);
    await settled(t, source, 'postmigrate');
  })
  .must(
    'QMP-D100-02',
    'every switch-over passes through device, where the dialect says so, and not elsewhere',
    async (t) => {
      const pair = await migrationSource(t);
      await migrateFully(t, pair);
      const statuses = t.eventNames(pair.source.log).filter((name) => name.startsWith('MIGRATION('));
      const device = t.dialect.migration.deviceAlways ? ',MIGRATION(device)' : '';
      t.equal(statuses.join(), `MIGRATION(setup),MIGRATION(active)${device},MIGRATION(completed)`, 'statuses');
    },
    {
      needs: { unless: (facts) => (facts.dialectNote === undefined ? undefined : 'it is not known of this release') },
      tags: ['QMP-D72-02'],
    },
  )
  .done();
