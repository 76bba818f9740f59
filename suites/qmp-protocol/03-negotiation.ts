/** qmp-protocol.md §3: capabilities negotiation. */
import { success } from '../../oracle/patterns.js';
import { ChapterBuilder } from '../requirement.js';
import { offered, oobInstance, oobNeeds } from './oob-target.js';
import { done, faulty, refused } from './shapes.js';
import {
  alreadyNegotiated,
  expectingNegotiation,
  lacksExecute,
  mustBe,
  notAnObject,
  unexpectedMember,
} from './texts.js';

const several = { abilities: ['start', 'arguments'] } as const;
const twoMonitors = { monitors: [{ transport: 'unix' }, { transport: 'unix' }] } as const;

export const negotiation = new ChapterBuilder(['QMP protocol', '3 Capabilities negotiation'], 'qmp-protocol.md §3')
  .must(
    'QMP-NEG-01',
    'before negotiation every other command is refused as CommandNotFound, with its id',
    async (t) => {
      const session = await t.connect();
      for (const name of ['query-version', 'migrate', 'qmpspec-no-such-command']) {
        const reply = await session.command(name);
        t.failed(reply, 'CommandNotFound', expectingNegotiation, name);
      }
    },
  )
  .must(
    'QMP-NEG-01.every',
    'no command that the target has is known before negotiation, out-of-band ones included',
    async (t) => {
      const session = await t.connect();
      const names = [...new Set([...(t.facts.commands ?? []), ...t.facts.schema.commands.keys()])];
      const others = names.filter((name) => name !== 'qmp_capabilities');
      const text = others.map((execute, id) => JSON.stringify({ execute, id })).join('');
      t.sequence(
        await session.exchange(text),
        others.map((_, id) => refused('CommandNotFound', expectingNegotiation, { id })),
      );
    },
    // A monitor that runs one of them here may well do harm.
    { needs: { abilities: ['start'] } },
  )
  .must('QMP-NEG-02', 'faults of syntax and envelope are told during negotiation as they are after it', async (t) => {
    const session = await t.connect();
    const text =
      '{} {"execute":"query-version","foo":1,"id":1} [] 1 foo {"execute":5} {"execute":"x","arguments":1} {"a" 1}';
    t.sequence(await session.exchange(text), [
      faulty(lacksExecute),
      faulty(unexpectedMember('foo'), { id: 1 }),
      faulty(notAnObject),
      faulty(notAnObject),
      faulty("JSON parse error, invalid keyword 'foo'"),
      faulty(mustBe('execute', 'a string')),
      faulty(mustBe('arguments', 'an object')),
      faulty('JSON parse error, missing : in object pair'),
    ]);
    t.succeeded(await session.command('qmp_capabilities'));
  })
  .must('QMP-NEG-02.arguments', 'a refused command is refused before its arguments are looked at', async (t) => {
    const session = await t.connect();
    const reply = await session.command('query-version', { k: 1 });
    t.failed(reply, 'CommandNotFound', expectingNegotiation);
  })
  .must('QMP-NEG-03', 'qmp_capabilities succeeds without arguments, with none, and with an empty list', async (t) => {
    for (const args of [undefined, {}, { enable: [] }]) {
      const session = await t.connect();
      t.matches(await session.command('qmp_capabilities', args), success({}));
      t.succeeded(await session.command('query-version'), 'a command after negotiation');
      session.close();
    }
  })
  .must('QMP-NEG-04', 'enable must be a list of strings', async (t) => {
    const session = await t.connect();
    for (const enable of [null, 'oob', {}]) {
      const reply = await session.command('qmp_capabilities', { enable });
      t.failed(reply, 'GenericError', "Invalid parameter type for 'enable', expected: array");
    }
    const element = await session.command('qmp_capabilities', { enable: [1] });
    t.failed(element, 'GenericError', "Invalid parameter type for 'enable[0]', expected: string");
  })
  .must(
    'QMP-NEG-05',
    'an unknown capability fails, alone and among known ones',
    async (t) => {
      const session = await t.connect();
      for (const enable of [['foo'], ['oob', 'foo'], ['foo', 'oob'], [''], ['OOB']]) {
        const value = enable.find((name) => name !== 'oob') as string;
        const reply = await session.command('qmp_capabilities', { enable });
        t.failed(reply, 'GenericError', t.dialect.protocol.enumError('null', value));
      }
      t.failed(await session.command('query-version'), 'CommandNotFound', expectingNegotiation);
    },
    { tags: ['QMP-D-03'] },
  )
  .must(
    'QMP-NEG-06',
    'a capability that exists but was not offered cannot be enabled',
    async (t) => {
      const session = await t.connect();
      const single = await session.command('qmp_capabilities', { enable: ['oob'] });
      t.failed(single, 'GenericError', 'Capability oob not available');
      const twice = await session.command('qmp_capabilities', { enable: ['oob', 'oob'] });
      t.failed(twice, 'GenericError', 'Capability oob, oob not available');
      t.failed(await session.command('query-version'), 'CommandNotFound', expectingNegotiation);
    },
    { needs: { unless: (facts) => (offered(facts).includes('oob') ? 'oob is offered' : undefined) } },
  )
  .must(
    'QMP-NEG-07',
    'an offered capability may be named twice',
    async (t) => {
      const session = await t.connect({ to: await oobInstance(t) });
      t.matches(await session.command('qmp_capabilities', { enable: ['oob', 'oob'] }), success({}));
      t.matches(await session.command('query-version', undefined, { id: 1 }), done(undefined, { id: 1 }));
    },
    { needs: oobNeeds },
  )
  .must('QMP-NEG-08', 'qmp_capabilities refuses an unexpected argument', async (t) => {
    const session = await t.connect();
    t.failed(await session.command('qmp_capabilities', { bar: 1 }), 'GenericError', "Parameter 'bar' is unexpected");
  })
  .must(
    'QMP-NEG-09',
    'a failed negotiation can be tried again, and leaves the monitor in negotiation mode',
    async (t) => {
      const session = await t.connect();
      t.failed(await session.command('qmp_capabilities', { enable: ['qmpspec-none'] }), 'GenericError');
      t.failed(await session.command('query-version'), 'CommandNotFound', expectingNegotiation);
      t.succeeded(await session.command('qmp_capabilities', { enable: [] }));
      t.succeeded(await session.command('query-version'));
    },
  )
  .must(
    'QMP-NEG-10',
    'a second qmp_capabilities is refused as CommandNotFound, after its arguments are checked',
    async (t) => {
      const session = await t.session();
      t.failed(await session.command('qmp_capabilities'), 'CommandNotFound', alreadyNegotiated);
      t.failed(await session.command('qmp_capabilities', { bar: 1 }), 'GenericError', "Parameter 'bar' is unexpected");
      t.succeeded(await session.command('query-version'));
    },
  )
  .must('QMP-NEG-11', 'exec-oob is an unexpected member before negotiation', async (t) => {
    const session = await t.connect();
    for (const name of ['qmp_capabilities', 'migrate-pause', 'query-version']) {
      const got = await session.exchange(JSON.stringify({ 'exec-oob': name, id: name }));
      t.sequence(got, [faulty(unexpectedMember('exec-oob'), { id: name })]);
    }
  })
  .must(
    'QMP-NEG-11.offered',
    'exec-oob is an unexpected member before negotiation even where oob is offered',
    async (t) => {
      const session = await t.connect({ to: await oobInstance(t) });
      const got = await session.exchange('{"exec-oob":"qmp_capabilities","id":1}{"exec-oob":"migrate-pause"}');
      const fault = unexpectedMember('exec-oob');
      t.sequence(got, [faulty(fault, { id: 1 }), faulty(fault)]);
    },
    { needs: oobNeeds },
  )
  .must('QMP-NEG-12', 'the name qmp_capabilities is case sensitive', async (t) => {
    const session = await t.connect();
    for (const name of ['QMP_CAPABILITIES', 'Qmp_capabilities', 'qmp-capabilities', 'qmp_capabilities ']) {
      t.failed(await session.command(name), 'CommandNotFound', expectingNegotiation, name);
    }
  })
  .must(
    'QMP-NEG-13',
    'negotiation on one monitor leaves the others in negotiation mode',
    async (t) => {
      const instance = await t.start(twoMonitors);
      const first = await t.session({ to: instance });
      const second = await t.connect({ to: instance, monitor: 1 });
      t.failed(await second.command('query-version'), 'CommandNotFound', expectingNegotiation);
      t.succeeded(await first.command('query-version'));
      t.succeeded(await second.command('qmp_capabilities'), 'its own negotiation');
      t.failed(await first.command('qmp_capabilities'), 'CommandNotFound', alreadyNegotiated);
    },
    { needs: several },
  )
  .must('QMP-NEG-14', 'pipelined commands are judged by the mode in force when they run', async (t) => {
    const session = await t.connect();
    const mark = session.mark();
    const text = ['query-version', 'qmp_capabilities', 'query-version', 'qmp_capabilities']
      .map((execute, id) => JSON.stringify({ execute, id }))
      .join('');
    await session.sendBytes(text);
    t.sequence(await session.take(mark, 4, 'four replies'), [
      refused('CommandNotFound', expectingNegotiation, { id: 0 }),
      done({}, { id: 1 }),
      done(undefined, { id: 2 }),
      refused('CommandNotFound', alreadyNegotiated, { id: 3 }),
    ]);
  })
  .must(
    'QMP-NEG-15',
    'a monitor in negotiation mode gets no event, and none is kept for it',
    async (t) => {
      const instance = await t.start(twoMonitors);
      const waiting = await t.connect({ to: instance });
      const other = await t.session({ to: instance, monitor: 1 });
      await other.command('stop');
      await other.command('cont');
      const events = t.eventNames(other.since(0)).join();
      t.check(events === 'STOP,RESUME', 'both events on the negotiated monitor', events || 'none');
      t.silent(await waiting.fence(1), 'an event during negotiation');
      const mark = waiting.mark();
      t.succeeded(await waiting.command('qmp_capabilities'));
      t.check((await waiting.fence(mark)).length === 1, 'nothing but the reply to qmp_capabilities', waiting.log[mark]);
    },
    { needs: several },
  )
  .done();
