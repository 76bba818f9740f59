/** qmp-protocol.md §5: replies and errors. */
import { errorClasses } from '../../oracle/conversation.js';
import type { JsonValue } from '../../protocol/json.js';
import { isObject, stringifyJson } from '../../protocol/json.js';
import { isReply } from '../../protocol/message.js';
import { isOurMachine } from '../../targets/machine.js';
import { ChapterBuilder } from '../requirement.js';
import { done, faulty, refused } from './shapes.js';
import { lacksExecute, notAnObject, notFound, unexpected } from './texts.js';

const ids: readonly JsonValue[] = [
  null,
  true,
  false,
  0,
  -1,
  'x',
  '',
  // Text that looks like something else stays text.
  '5',
  '-0.50',
  'null',
  'é€😀',
  [],
  {},
  { id: 1 },
  { execute: 'quit' },
  { return: {}, error: { class: 'X', desc: 'y' } },
  { 'Two  Blanks': ' A  b ', none: null },
  [[], { a: null }, [[[1, 'two', false]]]],
  [null, [null, 'x', null]],
  { '': { '': '' }, ' ': 0, ['__proto__']: 'x', constructor: 'y' },
  [[[[{ a: [[{ b: [[{ c: [1] }]] }]] }]]]],
  // Around what 32 bits, and the numbers of a double, can tell.
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 32 + 1,
  2n ** 53n + 1n,
  -(2n ** 53n) - 1n,
  2n ** 64n - 1n,
  -(2n ** 63n),
];

const wholeId = (id: number): RegExp => new RegExp(`"id"\\s*:\\s*${id}\\s*[,}]`);

export const replies = new ChapterBuilder(['QMP protocol', '5 Replies and errors'], 'qmp-protocol.md §5')
  .must('QMP-REPLY-01', 'a success reply has return, the id if there was one, and nothing else', async (t) => {
    const session = await t.session();
    const got = await session.exchange('{"execute":"query-version","id":5}{"execute":"query-version"}');
    t.sequence(got, [done(undefined, { id: 5 }), done()]);
  })
  .must(
    'QMP-REPLY-02',
    'a command without a result returns an empty object',
    async (t) => {
      const session = await t.session();
      t.sequence(await session.exchange('{"execute":"migrate-set-parameters","arguments":{},"id":1}'), [
        done({}, { id: 1 }),
      ]);
    },
    { needs: { commands: ['migrate-set-parameters'] } },
  )
  .must(
    'QMP-REPLY-03',
    'an error reply has error with exactly class and desc, and the id if there was one',
    async (t) => {
      const session = await t.session();
      const got = await session.exchange('{"execute":"qmpspec-none","id":5}{"execute":"qmpspec-none"}');
      const text = notFound('qmpspec-none');
      t.sequence(got, [refused('CommandNotFound', text, { id: 5 }), refused('CommandNotFound', text)]);
    },
  )
  .must('QMP-REPLY-04', 'an id of any JSON type is echoed by value in success and error replies', async (t) => {
    const session = await t.session();
    for (const id of ids) {
      const success = await session.exchange(Buffer.from(`{"id":${stringifyJson(id)},"execute":"query-version"}`));
      t.sequence(success, [done(undefined, { id })]);
      // A whole number is one, and no fraction of nothing.
      if (typeof id === 'number')
        t.check(wholeId(id).test(success[0]?.text ?? ''), `"id": ${id}`, success[0]?.text ?? '');
      const error = await session.exchange(Buffer.from(`{"execute":"qmpspec-none","id":${stringifyJson(id)}}`));
      t.sequence(error, [refused('CommandNotFound', notFound('qmpspec-none'), { id })]);
    }
  })
  .must('QMP-REPLY-04.long', 'an id of more than 64 KiB is echoed whole', async (t) => {
    const session = await t.session();
    const id = 'abcdefgh'.repeat(8200);
    const got = await session.exchange(JSON.stringify({ execute: 'query-version', id }), { deadline: 15000 });
    t.sequence(got, [done(undefined, { id })]);
  })
  .must('QMP-REPLY-05', 'the echo is written anew in the output format', async (t) => {
    const session = await t.session();
    const got = await session.exchange('{"execute":"query-version","id":[ 1 ,2,  "\\u0041\\/",\r\n{"a" :1} ]}');
    t.sequence(got, [done(undefined, { id: [1, 2, 'A/', { a: 1 }] })]);
    // Blanks between tokens are free; the escapes of the input are not kept.
    const text = got[0]?.text ?? '';
    const echo = '"id":[1,2,"A/",{"a":1}]';
    t.check(text.replace(/\s+/g, '').includes(echo), echo, text);
  })
  .must('QMP-REPLY-06', 'no id is echoed for malformed JSON or for a value that is no object', async (t) => {
    const session = await t.session();
    const mark = session.mark();
    const got = await session.exchange('{"id":7,"execute":}[{"id":7,"execute":"query-version"}]');
    t.sequence(got, [faulty(/^JSON parse error, /), faulty(notAnObject)]);
    t.check(session.replies(mark).length === 3, 'one reply for each and one for the fence', session.log.at(-1));
  })
  .must('QMP-REPLY-06.before', 'no id is left over from the message before, however that ended', async (t) => {
    const session = await t.session();
    const [good, plain] = ['{"execute":"query-version","id":"left"}', '{"execute":"query-version"}'];
    const unknown = '{"execute":"qmpspec-none"}';
    const none = refused('CommandNotFound', notFound('qmpspec-none'));
    const [left, bad] = [done(undefined, { id: 'left' }), faulty(/./, { id: 'left' })];
    const cases = [
      ['{"execute":"query-version","arguments":{"x":1},"id":"left"}', bad],
      ['{"execute":"query-version","x":1,"id":"left"}', bad],
      ['{"execute":"qmpspec-none","id":"left"}', refused('CommandNotFound', notFound('qmpspec-none'), { id: 'left' })],
      ['{"id":"left"}', bad],
      ['{"id":"left","execute":}', faulty(/^JSON parse error, /)],
      [good, left],
    ] as const;
    for (const [text, expected] of cases) {
      t.sequence(await session.exchange(`${text}${plain}${plain}`), [expected, done(), done()]);
      t.sequence(await session.exchange(`${text}${unknown}${plain}`), [expected, none, done()]);
    }
  })
  .must('QMP-REPLY-07', 'the id is echoed for every failure of a well-formed object', async (t) => {
    const session = await t.session();
    const got = await session.exchange(
      [
        '{"id":1}',
        '{"id":2,"execute":5}',
        '{"id":3,"execute":"query-version","foo":1}',
        '{"id":4,"execute":"query-version","arguments":[]}',
        '{"id":5,"execute":"qmpspec-none"}',
        '{"id":6,"execute":"query-version","arguments":{"x":1}}',
      ].join(' '),
    );
    const any = /./;
    t.sequence(got, [
      faulty(lacksExecute, { id: 1 }),
      faulty(any, { id: 2 }),
      faulty(any, { id: 3 }),
      faulty(any, { id: 4 }),
      refused('CommandNotFound', notFound('qmpspec-none'), { id: 5 }),
      faulty(unexpected('x'), { id: 6 }),
    ]);
  })
  .must('QMP-REPLY-08', 'each top-level value gets exactly one reply', async (t) => {
    const session = await t.session();
    const text = Array.from({ length: 50 }, (_, id) =>
      stringifyJson({ execute: id % 2 ? 'query-version' : 'nope', id }),
    );
    const got = await session.exchange(`${text.join('')} [] 5 "x" {} {"a":1} `);
    t.check(got.length === 55 && got.every(isReply), '55 replies', `${got.length} messages`);
  })
  .must('QMP-REPLY-09', 'replies, those to malformed input included, leave in the order of the input', async (t) => {
    const session = await t.session();
    const text =
      '{"execute":"query-qmp-schema","id":1} foo {"execute":"query-version","id":2} [,] {"execute":"nope","id":3}';
    t.sequence(await session.exchange(text), [
      done(undefined, { id: 1 }),
      faulty("JSON parse error, invalid keyword 'foo'"),
      done(undefined, { id: 2 }),
      faulty('JSON parse error, expecting value'),
      refused('CommandNotFound', notFound('nope'), { id: 3 }),
    ]);
  })
  .must('QMP-REPLY-10', 'identical ids are accepted', async (t) => {
    const session = await t.session();
    const one = '{"execute":"query-version","id":7}';
    const reply = done(undefined, { id: 7 });
    t.sequence(await session.exchange(one + one + one), [reply, reply, reply]);
  })
  .must(
    'QMP-REPLY-10.monitors',
    'the same id on two monitors at once is answered on each',
    async (t) => {
      const instance = await t.start({ monitors: [{ transport: 'unix' }, { transport: 'unix' }] });
      const sessions = [await t.session({ to: instance }), await t.session({ to: instance, monitor: 1 })];
      const got = await Promise.all(sessions.map((session) => session.exchange('{"execute":"query-version","id":7}')));
      for (const messages of got) t.sequence(messages, [done(undefined, { id: 7 })]);
    },
    { needs: { abilities: ['start', 'arguments'] } },
  )
  .must('QMP-ERR-01', 'errors of every layer carry one of the five classes', async (t) => {
    const session = await t.session();
    // Beside a guest a refused device_add waits until each processor has come by, which one in a loop of traps may never do.
    const waits = isOurMachine(t.facts) ? undefined : 'device_add';
    const asked = [...(t.facts.commands ?? [])].filter((name) => !name.startsWith('query-') && name !== waits);
    const commands = asked.slice(0, 60);
    const text = commands.map((execute) => stringifyJson({ execute, arguments: { 'qmpspec-none': 1 } }));
    const got = await session.exchange(`${text.join('\n')} {} [] nope {"execute":"qmpspec-none"}`);
    for (const message of got) {
      const error = isObject(message.value) ? message.value.error : undefined;
      const known = isObject(error) && errorClasses.includes(String(error.class));
      t.check(known, `an error of class ${errorClasses.join(', ')}`, message);
    }
  })
  .must('QMP-ERR-02', 'CommandNotFound is the class of an unknown command', async (t) => {
    const session = await t.session();
    for (const name of ['qmpspec-none', 'query-', 'execute', 'return', 'null']) {
      t.failed(await session.command(name), 'CommandNotFound', notFound(name));
    }
  })
  .must(
    'QMP-ERR-03.qom',
    'a path that leads to no object is DeviceNotFound',
    async (t) => {
      const session = await t.session();
      const reply = await session.command('qom-get', { path: '/qmpspec/none', property: 'x' });
      t.failed(reply, 'DeviceNotFound', "Device '/qmpspec/none' not found");
    },
    { needs: { commands: ['qom-get'] } },
  )
  .must(
    'QMP-ERR-03.balloon',
    'a balloon command without a balloon device is DeviceNotActive',
    async (t) => {
      const session = await t.session();
      const reply = await session.command('query-balloon');
      t.failed(reply, 'DeviceNotActive', 'No balloon device has been activated');
    },
    { needs: { abilities: ['start'], commands: ['query-balloon'] } },
  )
  .must(
    'QMP-ERR-03.device_del',
    'removing a device that is not there is DeviceNotFound',
    async (t) => {
      const session = await t.session();
      const reply = await session.command('device_del', { id: 'qmpspec-none' });
      t.failed(reply, 'DeviceNotFound', "Device 'qmpspec-none' not found");
    },
    { needs: { abilities: ['start'], commands: ['device_del'] } },
  )
  .must(
    'QMP-ERR-04',
    'a migration command fails as GenericError',
    async (t) => {
      const session = await t.session();
      t.failed(await session.command('migrate-continue', { state: 'pre-switchover' }), 'GenericError');
      t.failed(await session.command('migrate-recover', { uri: 'unix:x' }), 'GenericError');
    },
    { needs: { abilities: ['start'], commands: ['migrate-continue', 'migrate-recover'] } },
  )
  .must('QMP-ERR-05', 'faults of syntax, envelope and arguments are GenericError', async (t) => {
    const session = await t.session();
    const text = '] {"a" 1} [1 2] {} {"execute":"query-version","x":1} {"execute":"query-version","arguments":{"x":1}}';
    const any = faulty(/./);
    t.sequence(await session.exchange(text), [any, any, any, any, any, any]);
  })
  .must('QMP-ERR-06', 'a long description comes back whole', async (t) => {
    const session = await t.session();
    const name = 'n'.repeat(5000);
    const got = await session.exchange(`{"execute":"${name}"}`);
    t.sequence(got, [refused('CommandNotFound', notFound(name))]);
    // How an error is put is free; what it quotes of the name it quotes whole.
    const [quoted = name] = /n{20,}/.exec(got[0]?.text ?? '') ?? [];
    t.equal(quoted.length, name.length, 'the length of the name that is quoted');
  })
  .must('QMP-ERR-06.cut', 'the text after "JSON parse error, " is cut to 1023 bytes', async (t) => {
    const session = await t.session();
    const desc = `JSON parse error, invalid keyword '${'w'.repeat(3000)}`.slice(0, 1041);
    t.sequence(await session.exchange(`${'w'.repeat(3000)}\n`), [faulty(desc)]);
  })
  .done();
