/** qmp-protocol.md §4: the command envelope and the order in which it is checked. */
import { either } from '../../oracle/patterns.js';
import { ChapterBuilder } from '../requirement.js';
import { done, faulty, refused } from './shapes.js';
import { lacksExecute, missing, mustBe, notAnObject, notFound, unexpected, unexpectedMember } from './texts.js';

const unknown = 'CommandNotFound';

export const envelope = new ChapterBuilder(['QMP protocol', '4 Command envelope'], 'qmp-protocol.md §4')
  .must('QMP-CMD-01', 'a command without arguments is treated as one with an empty object', async (t) => {
    const session = await t.session();
    const text = '{"execute":"migrate-set-capabilities"}{"execute":"migrate-set-capabilities","arguments":{}}';
    t.sequence(await session.exchange(text), [faulty(missing('capabilities')), faulty(missing('capabilities'))]);
    t.sequence(await session.exchange('{"execute":"query-version"}'), [done()]);
  })
  .must('QMP-CMD-02', 'arguments of any type but object are refused, known command or not', async (t) => {
    const session = await t.session();
    for (const value of ['null', '5', '1.5', '"x"', 'true', '[]', '[{}]']) {
      for (const name of ['query-version', 'qmpspec-no-such-command']) {
        const got = await session.exchange(`{"execute":"${name}","arguments":${value},"id":1}`);
        t.sequence(got, [faulty(mustBe('arguments', 'an object'), { id: 1 })]);
      }
    }
  })
  .must('QMP-CMD-03', 'a command that takes no arguments accepts an empty object and refuses any member', async (t) => {
    const session = await t.session();
    const got = await session.exchange(
      '{"execute":"query-version","arguments":{}}{"execute":"query-version","arguments":{"k":1},"id":2}',
    );
    t.sequence(got, [done(), faulty(unexpected('k'), { id: 2 })]);
  })
  .must('QMP-CMD-04', 'execute must be a string', async (t) => {
    const session = await t.session();
    for (const value of ['null', '5', 'true', '[]', '["query-version"]', '{}', '{"execute":"query-version"}']) {
      const got = await session.exchange(`{"execute":${value},"id":"x"}`);
      t.sequence(got, [faulty(mustBe('execute', 'a string'), { id: 'x' })]);
    }
  })
  .must('QMP-CMD-05', 'command names match byte for byte', async (t) => {
    const session = await t.session();
    const names = [
      ' query-version',
      'query-version ',
      'Query-Name',
      'QUERY-NAME',
      'query_name',
      'query-nam',
      'query-versione',
      'migrate-cancel',
      '',
    ];
    for (const name of names) {
      const got = await session.exchange(JSON.stringify({ execute: name, id: name }));
      t.sequence(got, [refused(unknown, notFound(name), { id: name })]);
    }
  })
  .must('QMP-CMD-06', 'envelope member names match byte for byte', async (t) => {
    const session = await t.session();
    for (const name of ['EXECUTE', 'Id', 'ID', 'Arguments', 'args', 'id ', ' execute', '']) {
      const got = await session.exchange(JSON.stringify({ execute: 'query-version', [name]: {}, id: 3 }));
      t.sequence(got, [faulty(unexpectedMember(name), { id: 3 })]);
    }
  })
  .must('QMP-CMD-06.null', 'an unknown envelope member is refused whatever its value', async (t) => {
    const session = await t.session();
    for (const value of ['null', 'false', '0', '""', '[]', '{}']) {
      const got = await session.exchange(`{"execute":"query-version","extra":${value}}`);
      t.sequence(got, [faulty(unexpectedMember('extra'))]);
    }
  })
  .must('QMP-CMD-07', 'member and command names may be written with escapes', async (t) => {
    const session = await t.session({ condition: 'worn' });
    const got = await session.exchange('{"\\u0065xecute":"query-\\u0076ersion","\\u0069d":1}');
    t.sequence(got, [done(undefined, { id: 1 })]);
  })
  .must('QMP-CMD-08', 'a fault of arguments beats the absence of execute', async (t) => {
    const session = await t.session();
    const got = await session.exchange('{"arguments":1,"id":8}{"arguments":{},"id":9}');
    t.sequence(got, [faulty(mustBe('arguments', 'an object'), { id: 8 }), faulty(lacksExecute, { id: 9 })]);
  })
  .must(
    'QMP-CMD-08.rank',
    'a wrongly typed execute and an unexpected member are faults of the same rank',
    async (t) => {
      const session = await t.session();
      const either1 = either(faulty(mustBe('execute', 'a string')), faulty(unexpectedMember('foo')));
      t.sequence(await session.exchange('{"execute":1,"foo":1}{"foo":1,"execute":1}'), [either1, either1]);
    },
  )
  .must('QMP-CMD-08.lookup', 'every envelope fault beats an unknown command name', async (t) => {
    const session = await t.session();
    const got = await session.exchange('{"execute":"qmpspec-no-such-command","foo":1,"id":1}');
    t.sequence(got, [faulty(unexpectedMember('foo'), { id: 1 })]);
  })
  .must('QMP-CMD-08.arguments', 'an unknown command name beats whatever its arguments hold', async (t) => {
    const session = await t.session();
    const got = await session.exchange('{"execute":"qmpspec-no-such-command","arguments":{"a":[1,{}]},"id":1}');
    t.sequence(got, [refused(unknown, notFound('qmpspec-no-such-command'), { id: 1 })]);
  })
  .must('QMP-CMD-08.one', 'a message with several faults gets one reply', async (t) => {
    const session = await t.session();
    const any = either(
      faulty(mustBe('execute', 'a string')),
      faulty(mustBe('arguments', 'an object')),
      faulty(unexpectedMember('foo')),
      faulty(unexpectedMember('bar')),
    );
    t.sequence(await session.exchange('{"execute":1,"arguments":2,"foo":3,"bar":4}'), [any]);
  })
  .must('QMP-CMD-09', 'format directives in input are inert text', async (t) => {
    const session = await t.session();
    for (const name of ['%s%n', '%d%p', '%1$s', '%%', '%.99999f']) {
      const got = await session.exchange(JSON.stringify({ execute: name, id: name }));
      t.sequence(got, [refused(unknown, notFound(name), { id: name })]);
    }
    const member = await session.exchange('{"execute":"query-version","%s%n":1}');
    t.sequence(member, [faulty(unexpectedMember('%s%n'))]);
    const argument = await session.exchange('{"execute":"query-version","arguments":{"%s%n":1}}');
    t.sequence(argument, [faulty(unexpected('%s%n'))]);
  })
  .must('QMP-CMD-10', 'the old nested control member is unknown', async (t) => {
    const session = await t.session();
    const got = await session.exchange('{"execute":"query-version","control":{"run-oob":true},"id":1}');
    t.sequence(got, [faulty(unexpectedMember('control'), { id: 1 })]);
  })
  .must('QMP-CMD-11', 'a name outside ASCII is quoted back', async (t) => {
    const session = await t.session();
    const got = await session.exchange(Buffer.from('{"execute":"café€😀"}'));
    t.sequence(got, [refused(unknown, notFound('café€😀'))]);
  })
  .must(
    'QMP-CMD-11.malformed',
    'a malformed name is quoted back with its bad bytes replaced',
    async (t) => {
      const session = await t.session();
      const got = await session.exchange('{"execute":"caf\xe9"}');
      t.sequence(got, [refused(unknown, notFound('caf\uFFFD'))]);
    },
    {
      needs: {
        unless: (facts) => (facts.dialect.protocol.json === 'strict' ? 'malformed text is refused' : undefined),
      },
    },
  )
  .must('QMP-CMD-12', 'an array of commands is no batch: only an object is a command', async (t) => {
    const session = await t.session();
    const text =
      '[{"execute":"query-version"}][]["query-version"]"query-version"null true 5 -1.5 {"execute":"query-version"}';
    const not = faulty(notAnObject);
    t.sequence(await session.exchange(text), [not, not, not, not, not, not, not, not, done()]);
  })
  .must('QMP-CMD-12.empty', 'an empty object lacks execute', async (t) => {
    const session = await t.session();
    t.sequence(await session.exchange('{}{"id":7}'), [faulty(lacksExecute), faulty(lacksExecute, { id: 7 })]);
  })
  .done();
