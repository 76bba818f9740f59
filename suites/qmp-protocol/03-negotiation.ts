/** qmp-protocol.md §3: capabilities negotiation. */
import { failure, success } from '../../oracle/patterns.js';
import { ChapterBuilder } from '../requirement.js';

const expecting = "Expecting capabilities negotiation with 'qmp_capabilities'";
const complete = 'Capabilities negotiation is already complete, command ignored';

export const negotiation = new ChapterBuilder(['QMP protocol', '3 Capabilities negotiation'], 'qmp-protocol.md §3')
  .must(
    'QMP-NEG-01',
    'before negotiation every other command is refused as CommandNotFound, with its id',
    async (t) => {
      const session = await t.connect();
      for (const name of ['query-version', 'migrate', 'qmpspec-no-such-command']) {
        const reply = await session.command(name);
        t.failed(reply, 'CommandNotFound', expecting, name);
      }
    },
  )
  .must('QMP-NEG-03', 'qmp_capabilities succeeds without arguments, with none, and with an empty list', async (t) => {
    for (const args of [undefined, {}, { enable: [] }]) {
      const session = await t.connect();
      t.matches(await session.command('qmp_capabilities', args), success({}));
      t.succeeded(await session.command('query-name'), 'a command after negotiation');
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
      t.failed(await session.command('query-name'), 'CommandNotFound', expecting);
      t.succeeded(await session.command('qmp_capabilities', { enable: [] }));
      t.succeeded(await session.command('query-name'));
    },
  )
  .must(
    'QMP-NEG-10',
    'a second qmp_capabilities is refused as CommandNotFound, after its arguments are checked',
    async (t) => {
      const session = await t.session();
      t.failed(await session.command('qmp_capabilities'), 'CommandNotFound', complete);
      t.failed(await session.command('qmp_capabilities', { bar: 1 }), 'GenericError', "Parameter 'bar' is unexpected");
      t.succeeded(await session.command('query-name'));
    },
  )
  .must('QMP-NEG-14', 'pipelined commands are judged by the mode in force when they run', async (t) => {
    const session = await t.connect();
    const mark = session.mark();
    const text = ['query-name', 'qmp_capabilities', 'query-name', 'qmp_capabilities']
      .map((execute, id) => JSON.stringify({ execute, id }))
      .join('');
    await session.sendBytes(text);
    const refused = failure('CommandNotFound');
    t.sequence(await session.take(mark, 4, 'four replies'), [refused, success({}, 1), success(undefined, 2), refused]);
  })
  .done();
