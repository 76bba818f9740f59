import { expect } from 'chai';
import fc from 'fast-check';
import { TargetError } from '../../targets/target.js';
import { expandTemplate, splitWords } from '../../targets/template.js';

describe('command templates', () => {
  it('are words in which placeholders are replaced', () => {
    const words = expandTemplate('mymonitor --listen={qmp} -m {memory}M', { qmp: 'unix:/a b/c', memory: '64' });
    expect(words).to.deep.equal(['mymonitor', '--listen=unix:/a b/c', '-m', '64M']);
  });

  it('leave a bracketed part out when a placeholder in it has no value', () => {
    const template = 'm {qmp} [--incoming {incoming}] [-S {paused}] tcp:[::1]:4444 [-v]';
    expect(expandTemplate(template, { qmp: 'q' })).to.deep.equal(['m', 'q', 'tcp:[::1]:4444', '-v']);
    expect(expandTemplate(template, { qmp: 'q', incoming: 'tcp:[::]:0', paused: 'paused' })).to.deep.equal([
      'm',
      'q',
      '--incoming',
      'tcp:[::]:0',
      '-S',
      'paused',
      'tcp:[::1]:4444',
      '-v',
    ]);
  });

  it('never split or interpret a value', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (value) => {
        expect(expandTemplate('m {qmp} [{scratch}]', { qmp: value, scratch: value })).to.deep.equal([
          'm',
          value,
          value,
        ]);
      }),
    );
  });

  it('are split as a shell would', () => {
    const cases: [string, string[]][] = [
      ['a  b\tc', ['a', 'b', 'c']],
      [`"a b" 'c "d"' e\\ f`, ['a b', 'c "d"', 'e f']],
      [`'' ""`, ['', '']],
      [`"a\\"b" 'a\\b'`, ['a"b', 'a\\b']],
      [`--x='1 2'3`, ['--x=1 23']],
      ['', []],
    ];
    for (const [text, words] of cases) expect(splitWords(text), text).to.deep.equal(words);
  });

  it('split back what was quoted, for any words', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        const quoted = words.map((word) => `'${word.replaceAll("'", `'"'"'`)}'`).join(' ');
        expect(splitWords(quoted)).to.deep.equal(words);
      }),
    );
  });

  const faults: [string, string, RegExp][] = [
    [
      'an unknown placeholder',
      'm {qmp} {qmp_path}',
      /unknown placeholder \{qmp_path\}; did you mean \{qmp-path\}\? Known:/,
    ],
    ['a placeholder in capitals', 'm {QMP}', /unknown placeholder \{QMP\}/],
    ['a name that every object has', 'm {constructor}', /unknown placeholder \{constructor\}/],
    [
      'a value that is missing',
      'm {incoming}',
      /\{incoming\} has no value .* put it into brackets, as in \[--incoming/,
    ],
    ['an open bracket', 'm [--x {incoming}', /'\[' without its '\]'/],
    ['an open quote', `m "x`, /a " without its partner/],
    ['nothing', '  ', /the command template is empty/],
    ['only parts that were left out', '[{incoming}]', /the command template is empty/],
  ];
  for (const [name, template, message] of faults) {
    it(`refuse ${name}`, () => {
      expect(() => expandTemplate(template, { qmp: 'q' })).to.throw(TargetError, message);
    });
  }

  it('leave brackets in quotes alone', () => {
    expect(expandTemplate(`sh -c 'if [ -e {qmp} ]; then :; fi' [-i {incoming}] "[ x"`, { qmp: 'q' })).to.deep.equal([
      'sh',
      '-c',
      'if [ -e q ]; then :; fi',
      '[ x',
    ]);
  });

  it('leave braces alone that hold no name', () => {
    expect(expandTemplate(`m '{"a": 1}' {} {1}`, {})).to.deep.equal(['m', '{"a": 1}', '{}', '{1}']);
  });
});
