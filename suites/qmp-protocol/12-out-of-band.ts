/** qmp-protocol.md §12: out-of-band execution. */
import { event, type Pattern } from '../../oracle/patterns.js';
import type { Trial } from '../../oracle/trial.js';
import { isObject, type JsonValue } from '../../protocol/json.js';
import { isReply, type Received } from '../../protocol/message.js';
import type { Session } from '../../protocol/session.js';
import type { TargetFacts } from '../../targets/facts.js';
import { ChapterBuilder } from '../requirement.js';
import { peerNeeds, source } from '../state-machine/source.js';
import { oobInstance, oobNeeds } from './oob-target.js';
import { done, faulty, refused } from './shapes.js';
import {
  clash,
  lacksExecute,
  missing,
  mustBe,
  noOob,
  notFound,
  unexpected,
  unexpectedMember,
  wrongType,
} from './texts.js';

const pauseTexts = (t: Trial) =>
  t.dialect.migration.pauseInRecover
    ? 'migrate-pause is currently only supported during postcopy-active or postcopy-recover state'
    : 'migrate-pause is currently only supported during postcopy-active state';

/** What `migrate-pause` answers on an idle source, in band or out of it. */
const paused = (t: Trial, id?: string | null): Pattern => faulty(pauseTexts(t), id === undefined ? {} : { id });

const enabled = async (t: Trial): Promise<Session> => t.session({ to: await oobInstance(t), enable: ['oob'] });

const drops = (facts: TargetFacts) =>
  facts.dialect.protocol.queueFull === 'drop' && facts.schema.events.has('COMMAND_DROPPED')
    ? undefined
    : 'nothing is dropped';
const waits = (facts: TargetFacts) =>
  facts.dialect.protocol.queueFull === 'wait' ? undefined : 'commands are dropped';

const idOf = (message: Received): unknown => (isObject(message.value) ? message.value.id : undefined);
const droppedId = (message: Received): unknown => {
  const data = isObject(message.value) ? message.value.data : undefined;
  return message.kind === 'event' && isObject(data) ? data.id : undefined;
};

export const outOfBand = new ChapterBuilder(['QMP protocol', '12 Out-of-band execution'], 'qmp-protocol.md §12', {
  ...oobNeeds,
  commands: ['migrate-pause'],
})
  .must('QMP-OOB-01', 'where oob is offered but not enabled, exec-oob is an unexpected member', async (t) => {
    const session = await t.session({ to: await oobInstance(t) });
    const got = await session.exchange(
      '{"exec-oob":"migrate-pause","id":1}{"exec-oob":"nope"}{"execute":"query-version","exec-oob":"x"}',
    );
    const fault = unexpectedMember('exec-oob');
    t.sequence(got, [faulty(fault, { id: 1 }), faulty(fault), faulty(fault)]);
  })
  .must('QMP-OOB-02', 'an out-of-band command is executed, with arguments and id as in band', async (t) => {
    const session = await enabled(t);
    const got = await session.exchange('{"exec-oob":"migrate-pause","id":"a","arguments":{}}');
    t.sequence(got, [paused(t, 'a')]);
  })
  .must('QMP-OOB-02.faults', 'faults of an out-of-band command are told as in band', async (t) => {
    const session = await enabled(t);
    const cases: readonly (readonly [string, Pattern])[] = [
      ['{"exec-oob":5,"id":1}', faulty(mustBe('exec-oob', 'a string'), { id: 1 })],
      ['{"exec-oob":null,"id":1}', faulty(mustBe('exec-oob', 'a string'), { id: 1 })],
      ['{"exec-oob":"migrate-pause","foo":1,"id":1}', faulty(unexpectedMember('foo'), { id: 1 })],
      ['{"exec-oob":"migrate-pause","arguments":[],"id":1}', faulty(mustBe('arguments', 'an object'), { id: 1 })],
      ['{"exec-oob":"migrate-pause","arguments":{"k":1},"id":1}', faulty(unexpected('k'), { id: 1 })],
      ['{"exec-oob":"qmpspec-none","id":1}', refused('CommandNotFound', notFound('qmpspec-none'), { id: 1 })],
      ['{"id":1}', faulty(lacksExecute, { id: 1 })],
    ];
    for (const [text, expected] of cases) t.sequence(await session.exchange(text), [expected]);
  })
  .must(
    'QMP-OOB-02.arguments',
    'arguments of an out-of-band command are validated',
    async (t) => {
      const session = await enabled(t);
      t.sequence(await session.exchange('{"exec-oob":"migrate-recover","id":1}'), [faulty(missing('uri'), { id: 1 })]);
      const got = await session.exchange('{"exec-oob":"migrate-recover","arguments":{"uri":5},"id":2}');
      t.sequence(got, [faulty(wrongType('uri', 'string'), { id: 2 })]);
    },
    { needs: { commands: ['migrate-recover'] } },
  )
  .must(
    'QMP-OOB-03',
    'an out-of-band command needs no id',
    async (t) => {
      const session = await enabled(t);
      t.sequence(await session.exchange('{"exec-oob":"migrate-pause"}'), [paused(t)]);
      t.sequence(await session.exchange('{"exec-oob":"migrate-pause","id":null}'), [paused(t, null)]);
    },
    { tags: ['QMP-D100-07'] },
  )
  .must('QMP-OOB-04', 'execute and exec-oob exclude each other', async (t) => {
    const session = await enabled(t);
    for (const text of [
      '"execute":"query-version","exec-oob":"migrate-pause"',
      '"exec-oob":"migrate-pause","execute":"query-version"',
      // Neither of the two is looked up.
      '"execute":"query-version","exec-oob":"qmpspec-none"',
      '"exec-oob":"qmpspec-none","execute":"qmpspec-none"',
    ]) {
      t.sequence(await session.exchange(`{${text},"id":1}`), [faulty(clash, { id: 1 })]);
    }
  })
  .must(
    'QMP-OOB-05',
    'exactly the commands that the schema flags allow it',
    async (t) => {
      const session = await enabled(t);
      const { schema } = t.facts;
      const flagged = [...schema.commands.values()].filter((command) => command.allowOob).map(({ name }) => name);
      for (const name of ['migrate-pause', 'migrate-recover']) {
        t.check(flagged.includes(name) || t.facts.schemaNote !== undefined, `allow-oob of ${name}`, flagged.join());
      }
      const known = [...schema.commands.keys()].filter((name) => t.facts.commands?.has(name) ?? true);
      const others = known.filter((name) => !flagged.includes(name));
      const text = others.map((name, id) => JSON.stringify({ 'exec-oob': name, id })).join('');
      t.sequence(
        await session.exchange(text),
        others.map((name, id) => faulty(noOob(name), { id })),
      );
    },
    { needs: { abilities: ['start'] } },
  )
  .must('QMP-OOB-05.in-band', 'they work in band as well', async (t) => {
    const session = await enabled(t);
    t.sequence(await session.exchange('{"execute":"migrate-pause","id":"x"}'), [paused(t, 'x')]);
  })
  .must(
    'QMP-D-04',
    'yank and query-yank allow it',
    async (t) => {
      const session = await enabled(t);
      t.sequence(await session.exchange('{"exec-oob":"query-yank","id":1}'), [
        done({ words: 'a list', holds: Array.isArray }, { id: 1 }),
      ]);
    },
    { needs: { commands: ['query-yank'] } },
  )
  .must(
    'QMP-D-04.migration',
    'query-yank lists a migration that is under way, and none before',
    async (t) => {
      const one = await source(t, 'answer', { capabilities: ['pause-before-switchover'], untouched: true });
      const listed = async () => {
        const list = t.succeeded(await one.session.command('query-yank'), 'query-yank');
        return Array.isArray(list) ? list.filter((yank) => isObject(yank) && yank.type === 'migration').length : -1;
      };
      t.same(await listed(), 0, 'migrations in query-yank of a source that has not begun');
      await one.migrate();
      await one.until('pre-switchover');
      t.same(await listed(), 1, 'migrations in query-yank of a source that waits for its switch-over');
    },
    { needs: { ...peerNeeds, commands: ['query-yank'], capabilities: ['events', 'pause-before-switchover'] } },
  )
  .must(
    'QMP-OOB-06',
    'an out-of-band command overtakes in-band ones that still wait',
    async (t) => {
      const session = await enabled(t);
      let overtaken = false;
      // It may have to wait for the command that is being executed, and the queue may run empty before it is read.
      for (let round = 0; round < 20 && !overtaken; round++) {
        const mark = session.mark();
        const ids = Array.from({ length: 3 }, () => session.post('query-qmp-schema'));
        const oob = session.post('migrate-pause', undefined, { oob: true });
        const all = (await session.take(mark, 4, 'four replies', 15000)).map(idOf);
        t.check(all.filter((id) => id !== oob).join() === ids.join(), 'in-band replies in order', all.join());
        t.check(all.includes(oob), 'a reply to the out-of-band command', all.join());
        overtaken = all.indexOf(oob) <= 1;
      }
      t.check(overtaken, 'the out-of-band reply ahead of all in-band ones but the first', 'never in 20 rounds');
    },
    { tags: ['QMP-OOB-07'] },
  )
  .must('QMP-OOB-07', 'replies keep their order among themselves, in band and out of band', async (t) => {
    const session = await enabled(t);
    const mark = session.mark();
    const inBand: JsonValue[] = [];
    const outOf: JsonValue[] = [];
    for (let i = 0; i < 7; i++) {
      inBand.push(session.post('query-commands'));
      outOf.push(session.post('migrate-pause', undefined, { oob: true }));
    }
    const ids = (await session.take(mark, 14, 'fourteen replies')).map(idOf);
    t.check(
      ids.filter((id) => inBand.includes(id as string)).join() === inBand.join(),
      'in-band replies in order',
      ids.join(),
    );
    t.check(
      ids.filter((id) => outOf.includes(id as string)).join() === outOf.join(),
      'out-of-band replies in order',
      ids.join(),
    );
  })
  .must(
    'QMP-OOB-08',
    'in-band commands that do not fit into the queue are dropped, each with an event of its id',
    async (t) => {
      const { session, answered, dropped } = await flood(t);
      const both = answered.filter((id) => dropped.includes(id));
      t.check(both.length === 0, 'each answered or dropped, not both', both.join());
      t.check(answered.join() === [...answered].sort((a, b) => a - b).join(), 'replies in order', answered.join());
      const first = answered.slice(0, 8).join();
      t.check(first === '0,1,2,3,4,5,6,7', 'the first eight answered', first);
      const events = session.since(0).filter((message) => message.kind === 'event');
      for (const message of events) t.matches(message, event('COMMAND_DROPPED', { reason: 'queue-full' }));
      t.check(events.length > 0, 'at least one COMMAND_DROPPED', 'none');
    },
    { needs: { unless: drops, abilities: ['start', 'arguments'] }, tags: ['QMP-OOB-10'] },
  )
  .must(
    'QMP-OOB-09',
    'every negotiated monitor is told of a dropped command',
    async (t) => {
      const instance = await oobInstance(t, 2);
      const session = await t.session({ to: instance, enable: ['oob'] });
      const other = await t.session({ to: instance, monitor: 1 });
      const { dropped } = await flood(t, session);
      await other.fence();
      const heard = other.log.map(droppedId).filter((id) => id !== undefined);
      t.check(
        heard.join() === dropped.join() && heard.length > 0,
        `COMMAND_DROPPED for ${dropped.join()}`,
        heard.join() || 'none',
      );
    },
    { needs: { unless: drops, abilities: ['start', 'arguments'] } },
  )
  .must(
    'QMP-OOB-11',
    'an out-of-band command is never dropped and does not wait for a full queue',
    async (t) => {
      const session = await enabled(t);
      const mark = session.mark();
      const text = Array.from({ length: 20 }, (_, id) => `{"execute":"query-qmp-schema","id":${id}}`).join('');
      await session.sendBytes(`${text}{"exec-oob":"migrate-pause","id":"oob"}`);
      await session.reply('oob', { since: mark });
      const accounted = () => {
        const all = session.since(mark);
        const done = all.filter((message) => typeof idOf(message) === 'number' || droppedId(message) !== undefined);
        return done.length >= 20 ? all : undefined;
      };
      const all = await session.until('a reply or an event for each command', accounted, 15000);
      const position = all.filter(isReply).findIndex((message) => idOf(message) === 'oob');
      t.check(position >= 0 && position < 20, 'a reply to the out-of-band command', String(position));
    },
    { needs: { unless: drops } },
  )
  .must(
    'QMP-D-05',
    'nothing is dropped: forty commands get forty replies in order',
    async (t) => {
      const session = await enabled(t);
      const ids = Array.from({ length: 40 }, (_, id) => id);
      const got = await session.exchange(ids.map((id) => `{"execute":"query-commands","id":${id}}`).join(''), {
        deadline: 15000,
      });
      t.sequence(
        got,
        ids.map((id) => done(undefined, { id })),
      );
    },
    { needs: { unless: waits } },
  )
  .must(
    'QMP-D-06',
    'an out-of-band command behind many in-band ones is answered before the last eight of them',
    async (t) => {
      const session = await enabled(t);
      let best = 40;
      for (let round = 0; round < 20 && best > 32; round++) {
        const mark = session.mark();
        const text = Array.from({ length: 40 }, (_, id) => `{"execute":"query-commands","id":${id}}`).join('');
        await session.sendBytes(`${text}{"exec-oob":"migrate-pause","id":"oob"}`);
        const all = (await session.take(mark, 41, '41 replies', 15000)).map(idOf);
        best = Math.min(best, all.indexOf('oob'));
        const inBand = all.filter((id) => id !== 'oob');
        t.check(inBand.join() === inBand.map((_, i) => i).join(), 'in-band replies in order', all.join());
      }
      // Reading stops at eight waiting commands, so at least 40 - 8 - 1 replies come first; at most one more is slow to be read.
      t.check(best < 40, 'the out-of-band reply before the last in-band one', `${best} replies before it`);
      t.check(best >= 31, 'no more than nine commands read ahead', `${best} replies before it`);
    },
    { needs: { unless: waits } },
  )
  .must('QMP-OOB-13', 'commands in the same write as the negotiation enjoy what it enables', async (t) => {
    const session = await t.connect({ to: await oobInstance(t) });
    const mark = session.mark();
    await session.sendBytes(
      '{"execute":"qmp_capabilities","arguments":{"enable":["oob"]},"id":1}{"execute":"query-qmp-schema","id":2}{"exec-oob":"migrate-pause","id":"3"}',
    );
    const got = await session.take(mark, 3, 'three replies');
    t.matches(got[0], done({}, { id: 1 }));
    const oob = got.find((message) => idOf(message) === '3');
    t.matches(oob, paused(t, '3'));
    t.check(
      got.some((message) => idOf(message) === 2),
      'a reply to the in-band command',
      got[1],
    );
  })
  .must(
    'QMP-OOB-14',
    'a disconnect disables it',
    async (t) => {
      const instance = await oobInstance(t);
      const first = await t.session({ to: instance, enable: ['oob'] });
      await first.fence();
      first.close();
      const second = await t.session({ to: instance });
      // Where the member is known, an unknown command is told as that.
      const fault = faulty(unexpectedMember('exec-oob'), { id: 1 });
      const got = await second.exchange('{"exec-oob":"migrate-pause","id":1}{"exec-oob":"qmpspec-none","id":1}');
      t.sequence(got, [fault, fault]);
    },
    { needs: { abilities: ['reconnect'] } },
  )
  .done();

/** Sends more slow commands at once than the queue takes; every one has an id, for QMP-BUG-01. */
async function flood(t: Trial, on?: Session): Promise<{ session: Session; answered: number[]; dropped: number[] }> {
  const session = on ?? (await enabled(t));
  const mark = session.mark();
  const count = 30;
  await session.sendBytes(
    Array.from({ length: count }, (_, id) => `{"execute":"query-qmp-schema","id":${id}}`).join(''),
  );
  const numbers = (values: readonly unknown[]) => values.filter((value) => typeof value === 'number');
  const find = () => {
    const all = session.since(mark);
    const answered = numbers(all.filter(isReply).map(idOf));
    const dropped = numbers(all.map(droppedId));
    return answered.length + dropped.length >= count ? { session, answered, dropped } : undefined;
  };
  const result = await session.until('a reply or an event for each command', find, 15000);
  t.silent((await session.fence()).filter(isReply), 'a further reply');
  return result;
}
