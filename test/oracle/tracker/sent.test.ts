import { expect } from 'chai';
import fc from 'fast-check';
import { Input, type Sent } from '../../../oracle/tracker/sent.js';
import { fromIntrospection, toIntrospection } from '../../../qapi/introspection.js';
import { type DialectName, dialects } from '../../../reference/dialects/dialect.js';
import { loadSchema } from '../../../reference/schema/index.js';

/** How the oracle takes one command whose schema came from `query-qmp-schema`, where every integer is an `int`. */
function introspected(dialect: DialectName, text: string): Sent {
  const input = new Input(dialects[dialect], fromIntrospection(toIntrospection(loadSchema(dialect))));
  const [, sent] = input.push(Buffer.from(`{"execute":"qmp_capabilities"}${text}\n`));
  return sent as Sent;
}
const setParameter = (dialect: DialectName, name: string, value: string) =>
  introspected(dialect, `{"execute":"migrate-set-parameters","arguments":{"${name}":${value}}}`);

describe('what was sent, by an introspected schema', () => {
  for (const value of ['9223372036854775808', '18446744073709551615', '-1', '-9223372036854775808']) {
    it(`takes ${value} for a size (QMP-ARG-07)`, () => {
      expect(setParameter('7.2', 'max-bandwidth', value)).to.include({ kind: 'modelled' });
    });
  }

  for (const value of ['9223372036854775808', '18446744073709551615']) {
    it(`refuses ${value} for a signed integer (QMP-ARG-04)`, () => {
      expect(setParameter('3.0', 'max-bandwidth', value)).to.deep.include({
        kind: 'refused',
        desc: "Invalid parameter type for 'max-bandwidth', expected: integer",
      });
    });
  }

  it('lets older releases take anything for query-qmp-schema', () => {
    const asked = '{"execute":"query-qmp-schema","arguments":{"a":1}}';
    expect(introspected('3.0', asked)).to.include({ kind: 'neutral' });
    expect(introspected('7.2', asked)).to.include({ kind: 'refused', desc: "Parameter 'a' is unexpected" });
  });

  it('refuses what no integer of 64 bits holds', () => {
    for (const value of ['18446744073709551616', '-9223372036854775809']) {
      expect(setParameter('7.2', 'max-bandwidth', value), value).to.include({ kind: 'refused' });
    }
  });

  it('refuses what is beyond a narrow integer (QMP-ARG-09)', () => {
    expect(setParameter('7.2', 'x-checkpoint-delay', '9223372036854775808')).to.include({
      kind: 'refused',
      desc: "Parameter 'x-checkpoint-delay' expects uint32_t",
    });
  });
});

describe('what was sent, line by line', () => {
  const heads = [
    '{"execute":"query-status"',
    '{"execute":"migrate","arguments":{"uri":"unix:/a"}',
    '{"execute":"migrate","arguments":{"uri":5}',
    '{"execute":"no-such-command"',
    '{"execute":"migrate","id":"qs7.7"',
    '{"execute":"migrate","arguments":{"uri":"unix:/a"',
    '{"execute":"query-status","comment":"',
    '{"exec-oob":"migrate-pause"',
    '{"execute":"query-status",',
  ];
  const ends = [',"id":"qs1.1"}\n', ',"id":"qs2.15"}\n', ',"id":"other"}\n', ',"id":"qs1.1"}', '}}\n'];

  const garbage = ['"exec\n', '\xef\xbb\xbf', '"a":', ']\n', '[', 'tru', '\x01', '\xff\n'];

  it('means the same remembered as read anew, whatever was sent before', () => {
    const line = fc.tuple(fc.constantFrom(...heads), fc.constantFrom(...ends));
    const drawn = fc.array(fc.oneof(line, fc.tuple(fc.constantFrom(...garbage), fc.constantFrom('', '\n'))), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(fc.constantFrom<DialectName>('3.0', '7.2'), fc.boolean(), drawn, (dialect, negotiated, lines) => {
        const [one, other] = [0, 1].map(() => new Input(dialects[dialect], loadSchema(dialect))) as [Input, Input];
        const texts = lines.map(([head, end]) => head + end);
        if (negotiated) texts.unshift('{"execute":"qmp_capabilities","id":"qs1.0"}\n');
        for (const text of texts) {
          expect(one.pushText(text), text).to.deep.equal(other.push(Buffer.from(text, 'latin1')));
        }
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('takes a line by its memory only where an error is no longer recovered from', () => {
    const fence = '{"execute":"query-version","id":"qs1.2"}\n';
    const input = new Input(dialects['7.2'], loadSchema('7.2'));
    const push = (text: string) => input.pushText(text).length;
    push('{"execute":"qmp_capabilities","id":"qs1.1"}\n');
    expect([push(fence), push('"exec\n'), push(fence), push(`\xef\xbb\xbf${fence}`)]).to.deep.equal([1, 1, 1, 2]);
  });
});
