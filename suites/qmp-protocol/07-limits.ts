/** qmp-protocol.md §7.5: limits of the input. */
import type { Trial } from '../../oracle/trial.js';
import { withoutBlanks } from '../../protocol/json.js';
import type { TargetFacts } from '../../targets/facts.js';
import { ChapterBuilder } from '../requirement.js';
import { done, faulty, refused } from './shapes.js';
import { notFound } from './texts.js';
import { CMD, O, R, S, T, times, V, withId } from './vector.js';

const tooDeep = (t: Trial) => (t.dialect.protocol.json === 'strict' ? faulty('JSON nesting depth limit exceeded') : S);
const heal = (t: Trial) => (t.dialect.protocol.json === 'strict' ? T('\uFFFD') : S);
const restIsLost = ({ dialect }: TargetFacts) =>
  dialect.protocol.behindTooDeep === 'skipped' ? 'the rest of what is too deep is skipped' : undefined;
const lists = (count: number, inner = '') => '['.repeat(count) + inner + ']'.repeat(count);

export const inputLimits = new ChapterBuilder(['QMP protocol', '7 JSON input', 'Limits'], 'qmp-protocol.md §7.5')
  .must('QMP-LIM-01', '1024 open brackets of both kinds together are accepted', async (t) => {
    const session = await t.session();
    const got = await session.exchange(`${withId(lists(1023))}${lists(1024)}`);
    t.check(withoutBlanks(got[0]?.text ?? '').includes(lists(1023)), 'success with 1023 nested lists as id', got[0]);
    t.sequence(got, [{ words: 'success', test: (message) => message.kind === 'success' }, O]);
  })
  .must(
    'QMP-LIM-02',
    'one more is one error, after which the rest is fresh input',
    async (t) => {
      const session = await t.session();
      const got = await session.exchange(`${withId(lists(1024, '1'))}${CMD}`, { deadline: 30000 });
      t.sequence(got, [tooDeep(t), O, ...times(1025, V), R]);
    },
    // A thousand replies: also of a monitor that takes its time for each.
    { needs: { unless: restIsLost }, tags: ['QMP-D-29'], deadline: 45_000 },
  )
  .must(
    'QMP-LIM-03',
    'brackets that are only opened are counted anew after the error',
    async (t) => {
      const session = await t.session();
      t.sequence(await session.exchange(`${'['.repeat(1025)}${CMD}`), [tooDeep(t), R]);
      t.sequence(await session.exchange(`${'['.repeat(3000)}${CMD}\xff`), [tooDeep(t), tooDeep(t), heal(t)]);
      t.sequence(await session.exchange(`${'[{"a":'.repeat(512)}[${CMD}`), [tooDeep(t), R]);
    },
    { needs: { unless: restIsLost } },
  )
  .must('QMP-LIM-06.name', 'a command name of more than 64 KiB is only unknown', async (t) => {
    const session = await t.session();
    const name = 'q'.repeat(65_600);
    const got = await session.exchange(`{"execute":"${name}"}`, { deadline: 15000 });
    t.sequence(got, [refused('CommandNotFound', notFound(name))]);
  })
  .must('QMP-LIM-06.members', 'an object of 1000 members is an object', async (t) => {
    const session = await t.session();
    const id = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`m${i}`, i % 10]));
    t.sequence(await session.exchange(withId(JSON.stringify(id)), { deadline: 15000 }), [done(undefined, { id })]);
  })
  .must('QMP-LIM-06.list', 'a list of 2000 elements is a list', async (t) => {
    const session = await t.session();
    const id = Array.from({ length: 2000 }, (_, i) => i % 10);
    t.sequence(await session.exchange(withId(JSON.stringify(id)), { deadline: 15000 }), [done(undefined, { id })]);
  })
  .done();
