/** qmp-protocol.md §1: transports and framing. */
import { join } from 'node:path';
import type { Trial } from '../../oracle/trial.js';
import { type JsonValue, stringifyJson, withPlainStrings } from '../../protocol/json.js';
import type { Received } from '../../protocol/message.js';
import { Session } from '../../protocol/session.js';
import { type MonitorOptions, NotOffered } from '../../targets/target.js';
import { ChapterBuilder } from '../requirement.js';
import { prettyText } from './pretty.js';
import { done, faulty } from './shapes.js';
import { notAnObject, notFound } from './texts.js';

const several = { needs: { abilities: ['start', 'arguments'] } } as const;

// A little of everything: results, errors of each layer, white space, fragments of a line.
const script =
  '{"execute":"qmp_capabilities","id":0}\r\n{"execute":"query-version","id":1}{"execute":"qmpspec-none","id":[2]}\n' +
  '{"id":null,"execute":"query-version","arguments":{"x":1}} [] {"a" 1}\t{"execute":"query-version","id":"€"}\n\n';

/** Greeting and replies to the script, on a monitor that nobody has talked to. */
async function heard(session: Session, plan?: { every: number }): Promise<Received[]> {
  const mark = session.mark();
  await session.sendBytes(Buffer.from(script), plan);
  const replies = await session.take(mark, 7, 'the replies to the script');
  return [session.log[0] as Received, ...replies];
}

/** Runs the script on a unix socket and on another transport of one instance, and compares. */
async function compareTransports(
  t: Trial,
  monitors: readonly MonitorOptions[],
  plan?: { every: number },
): Promise<void> {
  const instance = await t.start({ monitors });
  const unix = await heard(await t.connect({ to: instance }));
  const session = await t.connect({ to: instance, monitor: 1 });
  const other = await heard(session, plan);
  for (const [i, message] of other.entries()) {
    t.same(message.value, unix[i]?.value, `message ${i + 1}, compared with the unix socket`);
    if (i > 0) t.equal(message.before, '\r\n', 'the line end before it');
  }
  t.silent(await session.fence(), 'after the replies');
}

/** White space between tokens, taken out of JSON text with its strings emptied. */
const skeleton = (text: string): string => text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');

function oneLine(t: Trial, { text }: Received): void {
  t.check(!/[\r\n]/.test(text), 'one line', text.slice(0, 200));
}

/** Blanks between tokens mean nothing to a reader of JSON: only who compares bytes minds them. */
function usualBlanks(t: Trial, { text }: Received): void {
  const bad = /[,:](?! )|[,:] {2}|[^,:] |\t/.exec(skeleton(text));
  t.check(
    bad === null,
    'one space after each comma and colon, and none elsewhere',
    `"${bad?.[0]}" in ${text.slice(0, 200)}`,
  );
}

const greatAndSmall = (t: Trial): Promise<readonly Received[]> => t.observed('great and small messages', readThem);

async function readThem(t: Trial): Promise<readonly Received[]> {
  const session = await t.connect();
  const id: JsonValue = [1, 2, { a: 1, 'b:, ': [[], {}, 'x:y,z'] }];
  await session.command('qmp_capabilities', undefined, { id });
  await session.exchange('{"execute":"query-qmp-schema"}{"execute":"nope"}{"execute":"query-commands"}');
  await isCompact(t, session);
  return session.log;
}

/** How a monitor writes was chosen by who started it, where that was not us. */
async function isCompact(t: Trial, session: Session): Promise<void> {
  const { value = null, text } = await session.greeting();
  const ours = t.instances.some(({ pid }) => pid !== undefined);
  if (!ours && text === prettyText(value)) throw new NotOffered('it was started to write each member on its own line');
}

export const transports = new ChapterBuilder(['QMP protocol', '1 Transports and framing'], 'qmp-protocol.md §1')
  .must(
    'QMP-TRANS-01.tcp',
    'a monitor behaves over tcp as over a unix socket',
    async (t) => {
      await compareTransports(t, [{ transport: 'unix' }, { transport: 'tcp' }]);
    },
    several,
  )
  .must(
    'QMP-TRANS-01.stdio',
    'a monitor behaves on standard input and output as on a unix socket',
    async (t) => {
      await compareTransports(t, [{ transport: 'unix' }, { transport: 'stdio' }]);
    },
    several,
  )
  .must('QMP-TRANS-05', 'every line sent ends in CR LF', async (t) => {
    const session = await t.connect();
    await session.command('qmp_capabilities');
    await session.exchange('{"execute":"query-commands"}{"execute":"nope"} [] \r\n\n {}');
    await session.until('the last line end', () => (session.trailing.includes('\n') ? true : undefined));
    const messages = session.log.filter((message) => message.index > 0);
    for (const message of messages) t.equal(message.before, '\r\n', 'what separates two messages');
    t.equal(session.trailing, '\r\n', 'what follows the last message');
    t.equal(session.log[0]?.before, '', 'what precedes the greeting');
  })
  .must('QMP-TRANS-06', 'each message is one line', async (t) => {
    for (const message of await greatAndSmall(t)) oneLine(t, message);
  })
  .should('QMP-TRANS-06.blanks', 'one space follows each comma and colon, and none is elsewhere', async (t) => {
    for (const message of await greatAndSmall(t)) usualBlanks(t, message);
  })
  .must('QMP-TRANS-07', 'a message is complete at its last bracket: no line end is needed', async (t) => {
    const session = await t.session();
    for (const text of ['{"execute":"query-version","id":{"a":[1]}}', '[1]', '{}']) {
      const mark = session.mark();
      await session.sendBytes(text);
      const [reply] = await session.take(mark, 1, 'a reply to a message without line end');
      t.matches(reply, text.length > 5 ? done(undefined, { id: { a: [1] } }) : faulty(/^QMP input /));
    }
  })
  .must('QMP-TRANS-08.string', 'a top-level string is complete at its closing quote', async (t) => {
    const session = await t.session();
    const mark = session.mark();
    await session.sendBytes('"abc"');
    t.sequence(await session.take(mark, 1, 'a reply to a string'), [faulty(notAnObject)]);
  })
  .must('QMP-TRANS-08', 'a top-level number or word is complete only when the next byte arrives', async (t) => {
    for (const text of ['5', '-1.5', 'true', 'nul']) {
      const session = await t.session();
      const mark = session.mark();
      await session.sendBytes(`{"execute":"query-version","id":1}${text}`);
      session.halfClose();
      await session.eof();
      t.sequence(session.since(mark), [done(undefined, { id: 1 })]);
      session.close();
    }
  })
  .must('QMP-TRANS-09', 'space, tab, CR and LF mean nothing between tokens', async (t) => {
    const session = await t.session();
    const texts = [
      '{\r\n\t"execute"\n:\t"query-version"\r}',
      ' \t\r\n{ "execute" : "query-version" } \r',
      '{"execute":\n\n\n"query-version"\r,"arguments"\r:\r{\r}\r}',
      `${' '.repeat(500)}{"execute"${'\n'.repeat(500)}:"query-version"}`,
    ];
    for (const text of texts) t.sequence(await session.exchange(text), [done()]);
  })
  .must('QMP-TRANS-09.blank', 'blank lines get no reply', async (t) => {
    const session = await t.session();
    t.silent(await session.exchange('\n\n\r\n \t \r\r\n'), 'a reply to white space');
  })
  .must('QMP-TRANS-09.cr', 'a CR alone separates messages as well as an LF', async (t) => {
    const session = await t.session();
    const got = await session.exchange(
      '{"execute":"query-version","id":1}\r5\r6\r{"execute":"query-version","id":2}\r',
    );
    const number = faulty(notAnObject);
    t.sequence(got, [done(undefined, { id: 1 }), number, number, done(undefined, { id: 2 })]);
  })
  .must('QMP-TRANS-10', 'several messages in one write are answered in order, whatever separates them', async (t) => {
    const session = await t.session();
    const one = (id: number) => stringifyJson({ execute: 'query-version', id });
    const text = `${one(1)} ${one(2)}\t${one(3)}${one(4)}\r\n${one(5)}`;
    t.sequence(
      await session.exchange(text),
      [1, 2, 3, 4, 5].map((id) => done(undefined, { id })),
    );
  })
  .must('QMP-TRANS-11', 'a message may be split over writes at any byte', async (t) => {
    const session = await t.session();
    const id = { 'a\\"b': [-12.5e1, 'x€'], c: true };
    const bytes = Buffer.from(JSON.stringify({ execute: 'query-version', id }));
    t.sequence(await session.exchange(bytes, { plan: { every: 1 } }), [done(undefined, { id })]);
    // Cuts drawn from the seed, so that other places are tried in other runs.
    const at = [3, 7, 11].map((step) => ((t.seed + 1) * step * 7919) % bytes.length);
    t.sequence(await session.exchange(bytes, { plan: { at } }), [done(undefined, { id })]);
  })
  .must(
    'QMP-TRANS-11.tcp',
    'a message may be split over tcp segments at any byte',
    async (t) => {
      await compareTransports(t, [{ transport: 'unix' }, { transport: 'tcp' }], { every: 1 });
    },
    several,
  )
  .must(
    'QMP-TRANS-12',
    'a pretty monitor sends each member and element on a line of its own',
    async (t) => {
      const instance = await t.start({ monitors: [{ transport: 'unix', pretty: true }] });
      const session = await t.session({ to: instance });
      await session.exchange(
        '{"execute":"query-version","id":[1,{"a":{},"b":[]},[["x"]]]}{"execute":"query-commands"} {}',
      );
      for (const message of session.log) {
        const expected = prettyText(message.value as JsonValue);
        t.check(withPlainStrings(message.text) === expected, expected.slice(0, 400), message.text.slice(0, 400));
        if (message.index > 0) t.equal(message.before, '\r\n', 'what separates two messages');
      }
    },
    several,
  )
  .must(
    'QMP-TRANS-12.long',
    'pretty=on of a control monitor does the same, and leaves input as it is',
    async (t) => {
      const chardev = 'socket,id=pretty,path=pretty.sock,server,nowait';
      const instance = await t.start({ extra: ['-chardev', chardev, '-mon', 'chardev=pretty,mode=control,pretty=on'] });
      // The first monitor's greeting shows that the process has made all its sockets.
      await t.connect({ to: instance });
      const path = join(instance.scratch, 'pretty.sock');
      const options = { transcript: t.transcript, endpoint: 'source#2' };
      const session = t.hears(await Session.connect({ kind: 'unix', path }, options));
      await session.negotiate();
      const got = await session.exchange(
        '{"execute":"nope","id":1} {"execute":"query-version"}\n{\r\n"execute":"query-version"}',
      );
      t.sequence(got, [{ words: 'an error', test: (m) => m.kind === 'failure' }, done(), done()]);
      for (const message of got) {
        const expected = prettyText(message.value as JsonValue);
        t.check(withPlainStrings(message.text) === expected, expected, message.text);
      }
      session.close();
    },
    several,
  )
  .must(
    'QMP-TRANS-13',
    'end of file on standard input ends neither the process nor replies that are due',
    async (t) => {
      const instance = await t.start({ monitors: [{ transport: 'unix' }, { transport: 'stdio' }] });
      const stdio = await t.connect({ to: instance, monitor: 1 });
      const mark = stdio.mark();
      await stdio.sendBytes(
        '{"execute":"qmp_capabilities","id":1}{"execute":"query-version","id":2}{"execute":"nope","id":3}',
      );
      stdio.halfClose();
      const unknown = { words: notFound('nope'), test: (m: Received) => m.kind === 'failure' };
      t.sequence(await stdio.take(mark, 3, 'three replies'), [
        done({}, { id: 1 }),
        done(undefined, { id: 2 }),
        unknown,
      ]);
      const other = await t.session({ to: instance });
      t.succeeded(await other.command('query-version'), 'the process lives on');
    },
    several,
  )
  .must(
    'QMP-TRANS-14',
    'a client that half-closes gets the replies to all complete commands, then end of file',
    async (t) => {
      for (const tail of ['', ' 5', '{"execute":"query-version"', '"abc', '{"a":[']) {
        const session = await t.session();
        const mark = session.mark();
        await session.sendBytes(
          `${[1, 2, 3].map((id) => stringifyJson({ execute: 'query-version', id })).join('')}${tail}`,
        );
        session.halfClose();
        await session.eof();
        t.sequence(
          session.since(mark),
          [1, 2, 3].map((id) => done(undefined, { id })),
        );
        session.close();
      }
    },
  )
  .must('QMP-TRANS-16', 'bytes may be sent before the greeting has been read', async (t) => {
    const session = t.hears(await (await t.instance()).connect());
    try {
      await session.sendBytes('{"execute":"qmp_capabilities","id":1}{"execute":"query-version","id":2}');
      const last = await session.reply(2);
      const [greeting, ...rest] = session.since(0).filter((message) => message.index <= last.index);
      t.check(greeting?.kind === 'greeting', 'a greeting first', greeting);
      t.sequence(rest, [done({}, { id: 1 }), done(undefined, { id: 2 })]);
    } finally {
      session.close();
    }
  })
  .done();
