import { expect } from 'chai';
import {
  aBoolean,
  anArray,
  anInteger,
  anObject,
  aString,
  brief,
  type Expected,
  either,
  event,
  failure,
  meets,
  type Pattern,
  success,
  wordsOf,
} from '../../oracle/patterns.js';
import { received } from './received.js';

const strict = { strictDesc: true };
const lax = { strictDesc: false };
const matches = (pattern: Pattern, text: string, options = lax) => pattern.test(received(text), options);

describe('patterns', () => {
  it('of a success compare its value and its id', () => {
    expect(matches(success(), '{"return": 5}')).to.equal(true);
    expect(matches(success({}), '{"return": {}, "id": 1}')).to.equal(true);
    expect(matches(success({}), '{"return": {"a": 1}}')).to.equal(false);
    expect(matches(success({ a: 1, b: 2 }), '{"return": {"b": 2, "a": 1}}')).to.equal(true);
    expect(matches(success(anInteger), '{"return": 1.5}')).to.equal(false);
    expect(matches(success(undefined, null), '{"return": {}, "id": null}')).to.equal(true);
    expect(matches(success(undefined, null), '{"return": {}}')).to.equal(false);
    expect(matches(success(undefined, 1), '{"return": {}, "id": "1"}')).to.equal(false);
    expect(matches(success(), '{"error": {"class": "GenericError", "desc": ""}}')).to.equal(false);
    expect(matches(success(), '{"event": "X", "data": {"return": 1}}')).to.equal(false);
  });

  const error = '{"error": {"class": "GenericError", "desc": "it is so"}, "id": 3}';
  it('of a failure always compare the class, and the text in strict mode only', () => {
    expect(matches(failure('GenericError'), error, strict)).to.equal(true);
    expect(matches(failure('CommandNotFound'), error)).to.equal(false);
    expect(matches(failure('GenericError', 'other'), error)).to.equal(true);
    expect(matches(failure('GenericError', 'other'), error, strict)).to.equal(false);
    expect(matches(failure('GenericError', ['other', 'it is so']), error, strict)).to.equal(true);
    expect(matches(failure('GenericError', /^it/), error, strict)).to.equal(true);
    expect(matches(failure('GenericError', /^so/), error, strict)).to.equal(false);
    expect(matches(failure('GenericError', undefined, 4), error)).to.equal(false);
    expect(matches(failure('GenericError'), '{"error": "GenericError"}')).to.equal(false);
    expect(matches(failure('GenericError'), '{"return": {}}')).to.equal(false);
  });

  it('of an event compare its name and the data that is given', () => {
    const text = '{"event": "MIGRATION", "data": {"status": "setup", "x": 1}, "timestamp": {}}';
    expect(matches(event('MIGRATION'), text)).to.equal(true);
    expect(matches(event('MIGRATION', { status: 'setup' }), text)).to.equal(true);
    expect(matches(event('MIGRATION', { status: 'active' }), text)).to.equal(false);
    expect(matches(event('MIGRATION', { toString: aString }), text)).to.equal(false);
    expect(matches(event('MIGRATION_PASS'), text)).to.equal(false);
    expect(matches(event('STOP', { a: 1 }), '{"event": "STOP", "timestamp": {}}')).to.equal(false);
    expect(matches(event('STOP'), '{"return": {"event": "STOP"}}')).to.equal(false);
  });

  it('may be alternatives', () => {
    const pattern = either(success({}), failure('GenericError'));
    expect(matches(pattern, '{"return": {}}')).to.equal(true);
    expect(matches(pattern, error)).to.equal(true);
    expect(matches(pattern, '{"return": 1}')).to.equal(false);
  });

  it('say what they permit', () => {
    expect(success({ a: 18446744073709551615n }, 1).words).to.equal('success with {"a":18446744073709551615} and id 1');
    expect(success(anInteger).words).to.equal('success with an integer');
    expect(failure('GenericError', ['a', 'b'], null).words).to.equal('GenericError "a" or "b" and id null');
    expect(failure('GenericError', /x/).words).to.equal('GenericError matching /x/');
    expect(event('MIGRATION', { status: 'setup' }).words).to.equal('event MIGRATION with status "setup"');
    expect(either(success(), event('STOP')).words).to.equal('success or event STOP');
  });

  it('prescribe kinds of values', () => {
    const cases: [Expected, unknown[], unknown[]][] = [
      [anInteger, [0, -1, 2n ** 64n], [0.5, '1', null, true]],
      [aString, ['', 'a'], [1, null, ['a']]],
      [aBoolean, [true, false], [0, 'true', null]],
      [anObject, [{}], [[], null, 'a']],
      [anArray, [[]], [{}, null]],
    ];
    for (const [expected, good, bad] of cases) {
      for (const value of good) expect(meets(value as never, expected), wordsOf(expected)).to.equal(true);
      for (const value of bad) expect(meets(value as never, expected), wordsOf(expected)).to.equal(false);
    }
  });

  it('shorten what came where it is long', () => {
    expect(brief(undefined)).to.equal('nothing');
    expect(brief(received('{"return": {}}'))).to.equal('{"return": {}}');
    expect(brief(received(JSON.stringify({ return: 'x'.repeat(400) })), 20)).to.match(/^.{20}… \(413 characters\)$/);
  });
});
