/** One migration from end to end between two instances: order of events, run states, what both ends tell afterwards. */
import { hasDefect } from '../../oracle/release.js';
import type { Trial } from '../../oracle/trial.js';
import { isObject } from '../../protocol/json.js';
import { validatorsFor } from '../../qapi/validators.js';
import { isOurMachine } from '../../targets/machine.js';
import { usualMemory } from '../../targets/target.js';
import { ChapterBuilder } from '../requirement.js';
import { passesCount } from '../state-machine/story.js';
import { fitsExactly } from './dialect-fit.js';
import { runStateBecomes, unchanged } from './observe.js';
import {
  migrated,
  migratedAway,
  type Pair,
  type PairOptions,
  pair,
  seenMigration,
  sourceWords,
  words,
  wordsAre,
  wordsOf,
} from './pair.js';
import { figuresHold } from './ram-figures.js';

const needs = { abilities: ['start', 'incoming', 'local'] } as const;

/** A destination's words: `setup` without regard to `events` in releases where it is no state. */
function destinationWords(t: Trial, events: boolean, resumes: boolean): RegExp {
  const setup = events || t.dialect.migration.incomingSetup === 'event' ? 'MIGRATION\\(setup\\) ' : '';
  const shown = fitsExactly(t.facts) ? setup : '(MIGRATION\\(setup\\) )?';
  const resume = resumes ? ' RESUME' : '';
  if (!events) return new RegExp(`^${shown}reply${resume}$`);
  return new RegExp(`^${shown}reply MIGRATION\\(active\\)${resume} MIGRATION\\(completed\\)$`);
}

async function complete(t: Trial, options: PairOptions, end = 'running'): Promise<Pair> {
  const both = await pair(t, options);
  await migrated(t, both, end);
  return both;
}

const sourceSays = async (t: Trial, { source, marks }: Pair) => words(t, source, marks.source);
const destinationSays = async (t: Trial, { destination, marks }: Pair) => words(t, destination, marks.destination);

/** Pass numbers count up by one from the first. */
function passesTold(t: Trial, said: string): void {
  passesCount(
    t,
    [...said.matchAll(/MIGRATION_PASS\((\d+)\)/g)].map(([, number]) => Number(number)),
  );
}

const chapter = new ChapterBuilder(['Migration commands', '13 A plain migration'], 'commands.md §13', needs);
for (const transport of ['unix', 'tcp'] as const) {
  chapter
    .must(
      `QMP-EVT-20.${transport}`,
      `over ${transport}, the source tells setup, reply, passes, active, STOP and completed in order`,
      async (t) => {
        const said = wordsOf(t, (await seenMigration(t, { transport })).source);
        wordsAre(t, said, sourceWords(t, true), 'source');
        passesTold(t, said);
      },
    )
    .must(
      `QMP-EVT-23.${transport}`,
      `over ${transport}, the destination tells active, RESUME and completed in order`,
      async (t) => {
        const { destination } = await seenMigration(t, { transport });
        wordsAre(t, wordsOf(t, destination), destinationWords(t, true, true), 'destination');
      },
    );
}
export const plainMigration = chapter
  .must('QMP-EVT-21.stopped', 'a stopped guest migrates without STOP, and stays stopped', async (t) => {
    const both = await pair(t);
    t.succeeded(await both.source.command('stop'));
    const later = { ...both, marks: { ...both.marks, source: both.source.mark() } };
    await migrated(t, later, 'paused');
    wordsAre(t, await sourceSays(t, later), sourceWords(t, false), 'source');
    wordsAre(t, await destinationSays(t, later), destinationWords(t, true, false), 'destination');
  })
  .must(
    'QMP-EVT-21.prelaunch',
    'a guest that was never started migrates without STOP, and is not started',
    async (t) => {
      const both = await complete(t, { source: { paused: true } }, 'prelaunch');
      wordsAre(t, await sourceSays(t, both), sourceWords(t, false), 'source');
      wordsAre(t, await destinationSays(t, both), destinationWords(t, true, false), 'destination');
    },
  )
  .must('QMP-EVT-22', 'with events off the source tells the reply and STOP', async (t) => {
    const { source } = await seenMigration(t, { events: false });
    wordsAre(t, wordsOf(t, source), /^reply STOP$/, 'source');
  })
  .must('QMP-EVT-23.off', 'with events off the destination tells RESUME', async (t) => {
    const { destination } = await seenMigration(t, { events: false });
    wordsAre(t, wordsOf(t, destination), destinationWords(t, false, true), 'destination');
  })
  .must(
    'MIG-SM-R01.return-path',
    'with a return path the order of the source is the same',
    async (t) => {
      const { source, mark } = await migratedAway(t, ['return-path']);
      wordsAre(t, await words(t, source, mark), sourceWords(t, true), 'source');
    },
    { needs: { ...needs, capabilities: ['return-path'] } },
  )
  .must('MIG-SM-R10.uri', 'a destination that was started with a URI tells active, RESUME and completed', async (t) => {
    const to = await t.start({ incoming: 'unix:in.sock' }, 'destination');
    const [source, destination] = [await t.session({ condition: 'migrated' }), await t.session({ to })];
    const capabilities = [{ capability: 'events', state: true }];
    t.succeeded(await destination.command('migrate-set-capabilities', { capabilities }));
    const marks = { source: source.mark(), destination: destination.mark() };
    await migrated(t, { source, destination, uri: `unix:${to.scratch}/in.sock`, marks }, 'running');
    const said = t.eventNames(await destination.fence(marks.destination)).join(' ');
    wordsAre(t, said, /^MIGRATION\(active\) RESUME MIGRATION\(completed\)$/, 'destination');
  })
  .must('MIG-CMD-EVT-01.side', 'each process tells its own events only', async (t) => {
    const both = await pair(t, { events: false });
    const capabilities = [{ capability: 'events', state: true }];
    t.succeeded(await both.destination.command('migrate-set-capabilities', { capabilities }));
    await migrated(t, both, 'running');
    wordsAre(t, t.eventNames(await both.source.fence(both.marks.source)).join(' '), /^STOP$/, 'source, events off');
    const destination = t.eventNames(await both.destination.fence(both.marks.destination)).join(' ');
    wordsAre(t, destination, /MIGRATION\(active\) RESUME MIGRATION\(completed\)$/, 'destination, events on');
  })
  .must(
    'MIG-SM-O44.plain',
    'after the end cont starts the source again, and its migration stays completed',
    async (t) => {
      const { source } = await migratedAway(t);
      const info = t.succeeded(await source.command('query-migrate'));
      const mark = source.mark();
      t.equal(t.succeeded(await source.command('cont')), {}, 'cont');
      t.same(t.eventNames(await source.fence(mark)), ['RESUME'], 'events of cont');
      const status = t.succeeded(await source.command('query-status'));
      t.equal(isObject(status) ? status.status : undefined, 'running', 'run state');
      t.same(t.succeeded(await source.command('query-migrate')), info, 'query-migrate');
    },
  )
  .must(
    'MIG-SM-O45.refused',
    'from run state postmigrate another migration is refused, where the release wants cont first',
    async (t) => {
      const { source, uri } = await migratedAway(t);
      const text = t.dialect.migration.fromPostmigrate;
      await unchanged(t, source, 'the second migrate', async () => {
        const reply = await source.command('migrate', { uri });
        t.failed(reply, 'GenericError', text);
      });
    },
    {
      needs: {
        ...needs,
        unless: ({ dialect }) =>
          dialect.migration.fromPostmigrate === undefined ? 'this release accepts it' : undefined,
      },
    },
  )
  .must('MIG-CMD-MIG-21.counters', 'the next migration counts its pages and passes anew', async (t) => {
    const both = await complete(t, {});
    const { source } = both;
    const figures = async () => {
      const info = t.succeeded(await source.command('query-migrate'));
      const ram = isObject(info) && isObject(info.ram) ? info.ram : {};
      const at = (...names: readonly string[]) => names.reduce((sum, name) => sum + Number(ram[name] ?? 0), 0);
      return { info, at, pages: at('duplicate', 'normal') };
    };
    const { at: before, pages: first } = await figures();
    t.succeeded(await source.command('cont'), 'cont');
    const to = await t.start({ incoming: 'unix:in.sock' }, 'third');
    const third = await t.session({ to });
    const marks = { source: source.mark(), destination: third.mark() };
    await migrated(t, { source, destination: third, uri: `unix:${to.scratch}/in.sock`, marks }, 'running');
    const { info, at, pages: second } = await figures();
    const said = await words(t, source, marks.source);
    // Only a guest of ours writes nothing while it runs: another one's pages go again.
    const ours = isOurMachine(t.facts);
    const goesOn = (ours ? second === 2 * first : second > first) && !said.includes('MIGRATION_PASS(1)');
    if (goesOn && hasDefect(t.facts, 'MIG-DEF-18'))
      return t.knownDefect('MIG-DEF-18', `${first} pages`, `${second} pages`);
    if (ours) t.same(second, first, 'duplicate and normal');
    else {
      const least = at('total') / at('page-size');
      const holds = second >= least && second < least + first;
      t.check(holds, `${least}, and some of them again`, `${second}`, 'duplicate and normal');
    }
    if (isObject(info)) figuresHold(t, info);
    for (const name of ['remaining', 'postcopy-requests', 'postcopy-bytes', 'multifd-bytes']) t.same(at(name), 0, name);
    // The end of a pass is sent before the guest stops or after it, as it comes; what another guest has written since is more to send.
    for (const names of !ours ? [] : [['transferred'], ['precopy-bytes', 'downtime-bytes']]) {
      const most = Math.ceil(1.5 * before(...names)) + 4096;
      t.check(at(...names) <= most, `${most} at most`, `${at(...names)}`, names.join(' and '));
    }
    passesTold(t, said);
  })
  .must('MIG-SM-I24.plain', 'the destination can be the source of the next migration', async (t) => {
    const first = await complete(t, {});
    const to = await t.start({ incoming: 'unix:in.sock' }, 'third');
    const third = await t.session({ to });
    const source = first.destination;
    const marks = { source: source.mark(), destination: third.mark() };
    await migrated(t, { source, destination: third, uri: `unix:${to.scratch}/in.sock`, marks }, 'running');
    const said = await words(t, source, marks.source);
    wordsAre(t, said, sourceWords(t, true), 'the former destination');
    passesTold(t, said);
    // Its figures are those of what it sent, and not of what it was sent.
    await runStateBecomes(t, source, 'postmigrate');
    const info = t.succeeded(await source.command('query-migrate'));
    figuresHold(t, isObject(info) ? info : {});
    const total = isObject(info) && isObject(info.ram) ? Number(info.ram.total) : 0;
    t.check(total >= usualMemory << 20, `${usualMemory} MiB or more`, `${total}`, 'total');
  })
  .must(
    'MIG-CMD-GEN-10.completed',
    'capabilities and parameters survive a completed migration at both ends',
    async (t) => {
      const both = await pair(t, { capabilities: ['xbzrle'] });
      for (const session of [both.source, both.destination]) {
        t.succeeded(await session.command('migrate-set-parameters', { 'downtime-limit': 777 }));
      }
      const settings = async () => {
        const seen = [];
        for (const session of [both.source, both.destination]) {
          seen.push(t.succeeded(await session.command('query-migrate-parameters')));
          seen.push(t.succeeded(await session.command('query-migrate-capabilities')));
        }
        return seen;
      };
      const before = await settings();
      await migrated(t, both, 'running');
      t.same(await settings(), before, 'settings of source and destination');
    },
    { needs: { ...needs, capabilities: ['xbzrle'] } },
  )
  .must('MIG-CMD-QMIG-02', 'the destination shows completed and no figures', async (t) => {
    const { loaded: info } = await seenMigration(t, { transport: 'unix' });
    t.returned('query-migrate', info, ['status'], t.dialect.migration.showsSocketAddress ? ['socket-address'] : []);
    t.equal(isObject(info) ? info.status : undefined, 'completed', 'status');
    const faults = validatorsFor(t.facts.schema).returns('query-migrate')(info);
    t.same(
      faults.map(({ path, expected }) => `${path}: ${expected}`),
      [],
      'faults against the schema',
    );
  })
  .done();
