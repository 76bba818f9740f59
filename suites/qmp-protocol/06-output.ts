/** qmp-protocol.md §6: how output is written. An id is echoed by the encoder, so it shows everything that can be sent. */
import { withoutBlanks } from '../../protocol/json.js';
import { ChapterBuilder } from '../requirement.js';
import { refused } from './shapes.js';
import { notFound } from './texts.js';
import { echoAsWritten, R, T, withId } from './vector.js';

type Doubles = '%f' | '%.17g';

/** How a number is written, as sent and as each dialect writes it. */
const doubles: readonly { readonly sent: string; readonly written: Readonly<Record<Doubles, string>> }[] = [
  { sent: '0.1', written: { '%f': '0.1', '%.17g': '0.10000000000000001' } },
  { sent: '3.14159265358979', written: { '%f': '3.141593', '%.17g': '3.14159265358979' } },
  { sent: '1e-7', written: { '%f': '0', '%.17g': '9.9999999999999995e-08' } },
  { sent: '1.0', written: { '%f': '1', '%.17g': '1' } },
  { sent: '-0.0', written: { '%f': '-0', '%.17g': '-0' } },
  { sent: '1e3', written: { '%f': '1000', '%.17g': '1000' } },
  { sent: '2.50', written: { '%f': '2.5', '%.17g': '2.5' } },
  { sent: '-100.25E0', written: { '%f': '-100.25', '%.17g': '-100.25' } },
  { sent: '18446744073709551616', written: { '%f': '18446744073709551616', '%.17g': '1.8446744073709552e+19' } },
  { sent: '-9223372036854775809', written: { '%f': '-9223372036854775808', '%.17g': '-9.2233720368547758e+18' } },
  { sent: '1.0e308', written: { '%f': BigInt(1e308).toString(), '%.17g': '1e+308' } },
];

const integers = ['0', '7', '-1', '9223372036854775807', '9223372036854775808', '18446744073709551615'];

/** Ill-formed text, one character a byte, and what is written in its place. */
const illFormed: readonly (readonly [bytes: string, written: string])[] = [
  ['\xe0\x80\x80', '\\uFFFD'],
  ['\xed\xa0\x80', '\\uFFFD'],
  ['\xf4\x90\x80\x80', '\\uFFFD'],
  ['\xef\xbf\xbf', '\\uFFFD'],
  ['\xef\xb7\x90', '\\uFFFD'],
  ['\x80\x80', '\\uFFFD\\uFFFD'],
  ['\xe2\x82\xe2\x82\xac', '\\uFFFD\\u20AC'],
  ['\xc2A', '\\uFFFDA'],
  ['\xf0\x9f\x98', '\\uFFFD'],
];

export const output = new ChapterBuilder(['QMP protocol', '6 Output encoding'], 'qmp-protocol.md §6')
  .must('QMP-OUT-01', 'output is ASCII: other characters are escaped, with upper-case digits', async (t) => {
    const session = await t.session();
    const id = JSON.stringify('é€😀\x7f\u00ff\uabcd');
    const got = await session.exchange(Buffer.from(withId(id)));
    t.sequence(got, [echoAsWritten('"\\u00E9\\u20AC\\uD83D\\uDE00\\u007F\\u00FF\\uABCD"')]);
    await session.exchange(Buffer.from('{"execute":"é"} {"execute":"query-version","é":1}'));
    for (const message of session.log)
      t.check(/^[\x20-\x7e]*$/.test(withoutBlanks(message.text)), 'printable ASCII', message);
  })
  .must('QMP-OUT-02', 'the short escapes are used, other controls are written by number', async (t) => {
    const session = await t.session();
    const sent = '"\\b\\f\\n\\r\\t/\\\\\\"\'"';
    t.sequence(await session.exchange(withId(sent)), [echoAsWritten(sent)]);
    const escaped = await session.exchange(withId('"\\u0001\\u001f\\u000b\\u002f\\u0022\\u005C"'));
    t.sequence(escaped, [echoAsWritten('"\\u0001\\u001F\\u000B/\\"\\\\"')]);
    // Errors are written as everything else is.
    const error = await session.exchange('{"execute":"a/b\'c"}');
    t.sequence(error, [refused('CommandNotFound', notFound("a/b'c"))]);
    t.check(!/\\[/']/.test(error[0]?.text ?? ''), 'no escape that nothing calls for', error[0]);
  })
  .must(
    'QMP-OUT-03',
    'ill-formed text is replaced, one U+FFFD a sequence',
    async (t) => {
      const session = await t.session();
      for (const [bytes, written] of illFormed) {
        t.sequence(await session.exchange(withId(`"<${bytes}>"`)), [echoAsWritten(`"<${written}>"`)]);
      }
    },
    {
      needs: {
        unless: (facts) => (facts.dialect.protocol.json === 'strict' ? 'malformed text is refused' : undefined),
      },
    },
  )
  .must(
    'QMP-OUT-03.stray',
    'an error that quotes ill-formed bytes quotes them replaced',
    async (t) => {
      const session = await t.session();
      t.sequence(await session.exchange(`"<\xe9>\xff${withId('1')}`), [T('"<\uFFFD>\uFFFD'), echoAsWritten('1')]);
    },
    {
      needs: { unless: (facts) => (facts.dialect.protocol.json === 'baseline' ? 'errors quote no input' : undefined) },
    },
  )
  .must(
    'QMP-OUT-04',
    'integers are written in full, from -2^63 to 2^64-1',
    async (t) => {
      const session = await t.session();
      for (const text of [...integers, '-9223372036854775808']) {
        t.sequence(await session.exchange(withId(text)), [echoAsWritten(text)]);
      }
    },
    { tags: ['QMP-NUM-01'] },
  )
  .must(
    'QMP-OUT-05',
    'other numbers are written in the C format of the dialect, without trailing zeros',
    async (t) => {
      const session = await t.session();
      for (const { sent, written } of doubles) {
        t.sequence(await session.exchange(withId(sent)), [echoAsWritten(written[t.dialect.protocol.doubles])]);
      }
    },
    { tags: ['QMP-D-30', 'QMP-NUM-01'] },
  )
  .must('QMP-NUM-02', '-0 is the integer 0, and -0.0 is not', async (t) => {
    const session = await t.session();
    t.sequence(await session.exchange(withId('-0') + withId('-0.0')), [echoAsWritten('0'), echoAsWritten('-0')]);
  })
  .info(
    'QMP-OUT-06',
    'an id that overflows a double costs one reply, which may be no JSON',
    async (t) => {
      const session = await t.session();
      const got = await session.exchange(`${withId('1.0e400')}{"execute":"query-version"}`);
      t.sequence(got, [{ words: 'one message', test: () => true }, R]);
    },
    { tags: ['QMP-BUG-05'] },
  )
  .done();
