/** commands.md §8.1: what query-migrate shows in each state of a migration that is under way, and no more. */
import type { Trial } from '../../oracle/trial.js';
import { isObject, type JsonObject } from '../../protocol/json.js';
import { ChapterBuilder } from '../requirement.js';
import { inPostcopy, pausedPostcopy, pauseNeeds, postcopyNeeds } from '../state-machine/postcopy.js';
import { active, paused, peerNeeds, type Source, source } from '../state-machine/source.js';
import { fitsExactly } from './dialect-fit.js';

const times = ['status', 'total-time', 'setup-time', 'ram'] as const;
const underWayMembers = [...times, 'expected-downtime'] as const;

/** The state is shown with its members, and their values are such as they can be. */
async function shows(
  t: Trial,
  one: Source,
  status: string,
  members: readonly string[],
  optional: readonly string[] = [],
): Promise<JsonObject> {
  const info = await one.info();
  t.equal(info.status, status, 'status');
  // A release without a dialect of its own may show more.
  const others = fitsExactly(t.facts) ? optional : Object.keys(info);
  t.returned('query-migrate', info, members, others, `members in ${status}`);
  for (const name of members.filter((name) => name.includes('time'))) {
    const value = info[name];
    const holds = (typeof value === 'number' || typeof value === 'bigint') && value >= 0;
    t.check(holds, 'a number of milliseconds', String(value), name);
  }
  return info;
}

/** Later releases know the downtime as soon as the guest runs at the destination. */
async function showsInPostcopy(t: Trial, one: Source, status: string, ...optional: readonly string[]): Promise<void> {
  const downtime = 'downtime' in (await one.info()) ? 'downtime' : 'expected-downtime';
  await shows(t, one, status, [...times, downtime], optional);
}

export const underWay = new ChapterBuilder(
  ['Migration commands', '8 query-migrate', 'under way'],
  'commands.md §8.1',
  peerNeeds,
)
  .must('MIG-CMD-QMIG-03.setup', 'setup is shown alone', async (t) => {
    const one = await source(t, 'full');
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
      for (const name of ['total-time', 'setup-time'] as const) {
        const [a, b] = [before[name], after[name]].map(Number) as [number, number];
        t.check(name === 'setup-time' ? a === b : b >= a, `${a}, or later in total`, `${b}`, name);
      }
      // Nothing is dirtied, so that nothing else is expected.
      t.same(Number(before['expected-downtime']), 300, 'expected-downtime, which is downtime-limit');
      const total = (info: JsonObject) => (isObject(info.ram) ? info.ram.total : undefined);
      t.same(total(after), total(before), 'total');
    },
  )
  .must(
    'MIG-CMD-QMIG-03.pre-switchover',
    'pre-switchover is shown with its times, the downtime that it expects, and RAM',
    async (t) => {
      const one = await paused(t);
      await shows(t, one, 'pre-switchover', underWayMembers);
    },
    { needs: { capabilities: ['pause-before-switchover'] } },
  )
  .must('MIG-CMD-QMIG-03.cancelled', 'cancelled is shown alone', async (t) => {
    const one = await active(t);
    await one.does('migrate_cancel');
    await one.until('cancelled');
    await shows(t, one, 'cancelled', ['status']);
  })
  .must(
    'MIG-CMD-QMIG-03.postcopy-active',
    'postcopy-active is shown with its times, a downtime, and RAM',
    async (t) => showsInPostcopy(t, await inPostcopy(t), 'postcopy-active'),
    { needs: postcopyNeeds },
  )
  .must(
    'MIG-CMD-QMIG-03.postcopy-paused',
    'postcopy-paused is shown with its times, a downtime, and RAM',
    async (t) => showsInPostcopy(t, await pausedPostcopy(t), 'postcopy-paused', 'error-desc'),
    { needs: { ...postcopyNeeds, ...pauseNeeds, commands: [...postcopyNeeds.commands, ...pauseNeeds.commands] } },
  )
  .done();
