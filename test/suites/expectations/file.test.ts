import { expect } from 'chai';
import { ExpectationsError, loadExpectations, parseExpectations } from '../../../suites/expectations/file.js';

const text = (entry: string) => `{\n  "version": 1,\n  "expectations": [\n    ${entry}\n  ]\n}\n`;
const fault = (content: string): string => {
  try {
    parseExpectations(content, 'known.json');
  } catch (error) {
    expect(error).to.be.instanceOf(ExpectationsError);
    expect((error as Error).message).not.to.contain('\n');
    return (error as Error).message;
  }
  throw new Error('nothing was found wrong with it');
};

describe('expectations file', () => {
  it('is read with the line of each entry', () => {
    const entries = `{ "id": "A", "kind": "known-failing", "reason": "r", "expires": "2027-01-31" },\n    { "kind": "finding", "signature": "crash*", "reason": "r", "ticket": "T-1" }`;
    const file = parseExpectations(text(entries), 'known.json');
    expect(file.lines).to.deep.equal([4, 5]);
    expect(file.entries.map(({ kind }) => kind)).to.deep.equal(['known-failing', 'finding']);
  });

  const faults: readonly (readonly [string, string, RegExp])[] = [
    [
      'a misspelt member',
      text('{ "id": "A", "kind": "known-failing",\n "raeson": "r" }'),
      /^known\.json:5: expectations\[0\] has the unknown member 'raeson'; did you mean 'reason'\?$/,
    ],
    [
      'a misspelt kind',
      text('{ "id": "A", "reason": "r",\n "kind": "known-flakey" }'),
      /^known\.json:5: expectations\[0\]\.kind is 'known-flakey'; did you mean 'known-flaky'\? It is one of known-failing, /,
    ],
    [
      'a day that is none',
      text('{ "id": "A", "kind": "known-flaky", "reason": "r", "expires": "31.1.2027" }'),
      /^known\.json:4: expectations\[0\]\.expires must be a date as in 2027-01-31$/,
    ],
    [
      'a day that no calendar has',
      text('{ "id": "A", "kind": "known-flaky", "reason": "r", "expires": "2027-02-30" }'),
      /^known\.json:4: expectations\[0\]\.expires: there is no such day$/,
    ],
    [
      'an empty id',
      text('{ "id": "", "kind": "known-flaky", "reason": "r" }'),
      /^known\.json:4: expectations\[0\]\.id must not be blank$/,
    ],
    ['a list', '[]', /^known\.json:1: the file must be an object$/],
    ['no list in it', '{ "version": 1, "expectations": {} }', /^known\.json:1: expectations must be a list$/],
    [
      'a missing reason',
      text('{ "id": "A", "kind": "known-flaky" }'),
      /^known\.json:4: expectations\[0\] must have required property 'reason'$/,
    ],
    [
      'a blank reason',
      text('{ "id": "A", "kind": "known-flaky", "reason": " " }'),
      /^known\.json:4: expectations\[0\]\.reason must not be blank$/,
    ],
    [
      'a failure without a requirement',
      text('{ "kind": "known-failing", "reason": "r" }'),
      /expectations\[0\] must have required property 'id'$/,
    ],
    [
      'a finding without a signature',
      text('{ "kind": "finding", "reason": "r" }'),
      /expectations\[0\] must have required property 'signature'$/,
    ],
    ['another version', '{ "version": 2, "expectations": [] }', /^known\.json:1: version is 2; this program reads 1$/],
    ['no version', '{ "expectations": [] }', /^known\.json:1: the file must have required property 'version'$/],
    ['no JSON', '{\n "version": 1,,\n}', /^known\.json:2: not JSON: property name expected$/],
    ['a comment', '{\n // why\n "version": 1 }', /^known\.json:2: not JSON: invalid comment token$/],
    ['nothing', '', /^known\.json:1: not JSON: value expected$/],
  ];
  for (const [name, content, message] of faults) {
    it(`with ${name} is refused, with its place`, () => {
      expect(fault(content)).to.match(message);
    });
  }

  it('that is not there is refused', () => {
    expect(() => loadExpectations('/nonexistent/known.json')).to.throw(ExpectationsError, 'there is no such file');
  });
});
