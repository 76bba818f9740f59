/** commands.md §8.1: what query-migrate shows in each state of a migration that is under way, and no more. */
import { onTheirWay } from '../../oracle/amounts.js';
import type { Trial } from '../../oracle/trial.js';
import { DeadlinePassed } from '../../protocol/errors.js';
import { isObject, type JsonObject, type JsonValue, sameJson } from '../../protocol/json.js';
import { NotOffered, usualMemory } from '../../targets/target.js';
import { ChapterBuilder } from '../requirement.js';
import { inPostcopy, pauseNeeds, pauses, postcopyNeeds } from '../state-machine/postcopy.js';
import { active, paused, peerNeeds, type Source, slow, someRam, source } from '../state-machine/source.js';
import { fitsExactly } from './dialect-fit.js';
import { baselineRam, figuresGrow, figuresHold, ramMembers } from './ram-figures.js';

const times = ['status', 'total-time', 'setup-time', 'ram'] as const;
/** Milliseconds that are not the default of downtime-limit. */
const otherLimit = 1700;
const underWayMembers = [...times, 'expected-downtime'] as const;

/** The state is shown with its members, and their values are such as they can be. */
async function shows(
  t: Trial,
  one: Source,
  status: string,
  members: readonly string[],
  optional: readonly string[] = [],
  limit = 300,
): Promise<JsonObject> {
  const info = await one.info();
  t.equal(info.status, status, 'status');
  // A release without a dialect of its own may show more.
  const others = fitsExactly(t.facts) ? [...optional, ...t.dialect.migration.laterMembers] : Object.keys(info);
  t.returned('query-migrate', info, members, others, `members in ${status}`);
  figuresHold(t, info);
  if (isObject(info.ram)) await showsRam(t, one, info.ram);
  for (const name of members.filter((name) => name.includes('time'))) {
    const value = info[name];
    const holds = (typeof value === 'number' || typeof value === 'bigint') && value >= 0;
    t.check(holds, 'a number of milliseconds', String(value), name);
  }
  // Nothing is dirtied, so that nothing else than downtime-limit is expected.
  const expected = info['expected-downtime'];
  if (expected === 2n ** 63n - 1n) t.knownDefect('MIG-DEF-43', 'downtime-limit', String(expected));
  else if (fitsExactly(t.facts) && expected !== undefined)
    t.same(info['expected-downtime'], limit, 'expected-downtime, which is downtime-limit');
  return info;
}

/** All members, as many looks for dirty pages as were told, and nothing of what was not done. */
async function showsRam(t: Trial, one: Source, ram: JsonObject): Promise<void> {
  if (fitsExactly(t.facts)) t.returned('query-migrate', ram, ramMembers[t.dialect.migration.ramMembers], [], 'ram');
  else t.returned('query-migrate', ram, baselineRam, Object.keys(ram), 'ram');
  for (const name of ['multifd-bytes', 'dirty-sync-missed-zero-copy'])
    t.same(Number(ram[name] ?? 0), 0, `${name}, of what was not asked for`);
  t.check(Number(ram.total) >= usualMemory << 20, `${usualMemory} MiB or more`, String(ram.total), 'total');
  const told = one.messages.map(({ value }) => value).filter((value) => isObject(value) && 'pass' in dataOf(value));
  const last = told.at(-1);
  if (t.dialect.migration.passesTold !== 'every' || !isObject(last)) return;
  const passes = ram['dirty-sync-count'] as JsonValue;
  const due = ({ pass }: JsonObject) => sameJson(pass ?? null, passes);
  // It may be counted before it is told.
  if (!due(dataOf(last)) && Number(passes) > Number(dataOf(last).pass)) {
    await one.session.event('MIGRATION_PASS', { since: 0, test: due });
    return;
  }
  t.same(passes, dataOf(last).pass, 'dirty-sync-count, as the last MIGRATION_PASS has it');
}

const dataOf = (event: JsonObject): JsonObject => (isObject(event.data) ? event.data : {});

/** Two answers to query-migrate that was asked twice in one go: however slow answers come, little happens between these. */
async function askedTwice(t: Trial, { session }: Source): Promise<[JsonObject, JsonObject]> {
  const since = session.mark();
  const ids = [session.post('query-migrate'), session.post('query-migrate')] as const;
  const answer = async (id: JsonValue): Promise<JsonObject> => {
    const info = t.succeeded(await session.reply(id, { since, command: 'query-migrate' }), 'query-migrate');
    return isObject(info) ? info : {};
  };
  return [await answer(ids[0]), await answer(ids[1])];
}

/** In the first pass each page either was sent or remains, whatever the guest writes meanwhile. */
async function makesAll(t: Trial, one: Source): Promise<void> {
  for (const until = one.session.patience(); ; ) {
    const [before, { status, ram }] = await askedTwice(t, one);
    if (status !== 'active' || !isObject(ram) || Number(ram['dirty-sync-count']) !== 1)
      throw new NotOffered('its first pass was over before anybody could look at it twice');
    // Nothing was sent between the two.
    if (isObject(before.ram) && before.ram.transferred === ram.transferred) {
      const [normal, zero, remaining, total, page] = ['normal', 'duplicate', 'remaining', 'total', 'page-size'].map(
        (name) => Number(ram[name]),
      ) as [number, number, number, number, number];
      const [pages, all] = [normal + zero + remaining / page, total / page];
      const holds = pages <= all && pages >= all - onTheirWay;
      return t.check(holds, `${all} pages`, `${pages}`, 'sent and remaining, in the first pass');
    }
    if (until.passed) throw new DeadlinePassed('query-migrate to say the same twice', until.length);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Later releases know the downtime as soon as the guest runs at the destination. */
async function showsInPostcopy(
  t: Trial,
  one: Source,
  status: string,
  ...optional: readonly string[]
): Promise<JsonObject> {
  const downtime = 'downtime' in (await one.info()) ? 'downtime' : 'expected-downtime';
  return shows(t, one, status, [...times, downtime], optional);
}

export const underWay = new ChapterBuilder(
  ['Migration commands', '8 query-migrate', 'under way'],
  'commands.md §8.1',
  peerNeeds,
)
  .must(
    'MIG-CMD-QMIG-01.at-once',
    'each answer is of its own moment: it shows what the command just before it has changed',
    async (t) => {
      const one = await source(t, 'answer', { ram: someRam, parameters: { 'max-bandwidth': slow } });
      const { session } = one;
      // Asked just before and just behind a command, in one go.
      const around = async (command: string, query: string, args?: JsonObject): Promise<JsonObject> => {
        const since = session.mark();
        const ids = [session.post(query), session.post(command, args), session.post(query)];
        const answers: JsonValue[] = [];
        for (const [i, id] of ids.entries()) {
          const name = i === 1 ? command : query;
          answers.push(t.succeeded(await session.reply(id, { since, command: name }), name));
        }
        const last = answers.at(-1) ?? null;
        return isObject(last) ? last : {};
      };
      const { status: begun } = await around('migrate', 'query-migrate', { uri: one.peer.uri });
      t.check(begun === 'setup' || begun === 'active', 'setup or active', String(begun), 'status behind migrate');
      await one.until('active');
      for (const [command, state] of [
        ['stop', 'paused'],
        ['cont', 'running'],
      ] as const)
        t.same((await around(command, 'query-status')).status, state, `run state behind ${command}`);
      const { status: ended } = await around('migrate_cancel', 'query-migrate');
      const cancels = ended === 'cancelling' || ended === 'cancelled';
      t.check(cancels, 'cancelling or cancelled', String(ended), 'status behind migrate_cancel');
      await one.until('cancelled');
    },
  )
  .must('MIG-CMD-QMIG-03.setup', 'setup is shown alone', async (t) => {
    const one = await source(t, 'full');
    // What came of another one before is not shown any more.
    await one.does('migrate', { uri: `unix:${one.instance.scratch}/absent.sock` });
    await one.until('failed');
    await one.session.fence();
    await one.migrate();
    await shows(t, one, 'setup', ['status']);
  })
  .must(
    'MIG-CMD-QMIG-03.active',
    'active is shown with its times, the downtime that it expects, and RAM',
    async (t) => {
      const one = await active(t);
      const before = await shows(t, one, 'active', underWayMembers);
      const after = await shows(t, one, 'active', underWayMembers);
      figuresGrow(t, before, after);
      for (const name of ['total-time', 'setup-time'] as const) {
        const [a, b] = [before[name], after[name]].map(Number) as [number, number];
        // How long the set-up took is noted just after the status is.
        t.check(name === 'setup-time' && a > 0 ? a === b : b >= a, `${a}, or later in total`, `${b}`, name);
      }
    },
  )
  .must('MIG-CMD-INV-02.sum', 'in the first pass, what was sent and what remains are all of the memory', async (t) => {
    await makesAll(t, await active(t));
  })
  .must(
    'MIG-CMD-QMIG-03.pre-switchover',
    'pre-switchover is shown with its times, the downtime that it expects, and RAM',
    async (t) => {
      const one = await paused(t, 'answer', { parameters: { 'downtime-limit': otherLimit } });
      await shows(t, one, 'pre-switchover', underWayMembers, [], otherLimit);
    },
    { needs: { capabilities: ['pause-before-switchover'] } },
  )
  .must(
    'MIG-CMD-QMIG-03.device',
    'device is shown with its times, the downtime that it expects, and RAM of which nothing remains',
    async (t) => {
      const one = await source(t, 'silent', { capabilities: ['return-path', 'pause-before-switchover'] });
      await one.migrate();
      await one.until('pre-switchover');
      const before = await shows(t, one, 'pre-switchover', underWayMembers);
      await one.does('migrate-continue', { state: 'pre-switchover' });
      await one.until('device');
      await one.peer.until('end-of-stream', one.session.deadline);
      const info = await shows(t, one, 'device', underWayMembers);
      figuresGrow(t, before, info);
      const { ram } = info;
      t.same(isObject(ram) ? ram.remaining : undefined, 0, 'remaining, once all was sent');
    },
    { needs: { capabilities: ['return-path', 'pause-before-switchover'] } },
  )
  .must('MIG-CMD-QMIG-03.cancelled', 'cancelled is shown alone', async (t) => {
    const one = await active(t);
    await one.does('migrate_cancel');
    await one.until('cancelled');
    await shows(t, one, 'cancelled', ['status']);
  })
  .must(
    'MIG-CMD-QMIG-03.broken',
    'a failure on the way is shown alone, with its reason perhaps, though figures were shown before',
    async (t) => {
      const one = await active(t);
      await one.info();
      one.peer.cut();
      await one.until('failed');
      await shows(t, one, 'failed', ['status'], ['error-desc']);
    },
  )
  .must(
    'MIG-CMD-QMIG-03.xbzrle-off',
    'the figures of the cache of a migration before are not shown once xbzrle is off',
    async (t) => {
      const one = await active(t, { capabilities: ['xbzrle'] });
      await shows(t, one, 'active', [...underWayMembers, 'xbzrle-cache']);
      await one.does('migrate_cancel');
      await one.until('cancelled');
      await one.does('migrate-set-capabilities', { capabilities: [{ capability: 'xbzrle', state: false }] });
      one.turn();
      await one.migrate();
      await one.until('active');
      await shows(t, one, 'active', underWayMembers);
    },
    { needs: { capabilities: ['xbzrle'] } },
  )
  .must(
    'MIG-CMD-QMIG-03.postcopy-active',
    'postcopy-active is shown with its times, a downtime, and RAM',
    async (t) => {
      const one = await inPostcopy(t);
      const before = await showsInPostcopy(t, one, 'postcopy-active');
      figuresGrow(t, before, await showsInPostcopy(t, one, 'postcopy-active'));
    },
    { needs: postcopyNeeds },
  )
  .must(
    'MIG-CMD-QMIG-03.postcopy-paused',
    'postcopy-paused is shown with its times, a downtime, and RAM',
    async (t) => {
      const one = await inPostcopy(t);
      const before = await one.info();
      await pauses(one);
      figuresGrow(t, before, await showsInPostcopy(t, one, 'postcopy-paused', 'error-desc'));
    },
    { needs: { ...postcopyNeeds, ...pauseNeeds, commands: [...postcopyNeeds.commands, ...pauseNeeds.commands] } },
  )
  .done();
