import { expect } from 'chai';
import fc from 'fast-check';
import {
  JsonError,
  type JsonValue,
  mentions,
  namesTwice,
  parseJson,
  sameJson,
  stringifyJson,
  withoutBlanks,
  withPlainStrings,
} from '../../protocol/json.js';

/** JSON values as a monitor may send them: any string, any member name, integers of 64 bits and beyond. */
const jsonValue = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.string({ unit: 'binary' }),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true, noInteger: true }),
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map((n) => parseJson(String(n))),
    fc.array(tie('value'), { maxLength: 4 }),
    fc
      .array(fc.tuple(fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', '')), tie('value')), {
        maxLength: 4,
      })
      .map((members) => Object.fromEntries(members) as JsonValue),
  ),
})).value;

describe('lossless JSON', () => {
  it('brings back every value, integers of any size included', () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        const again = parseJson(stringifyJson(value));
        expect(sameJson(again, value), stringifyJson(value)).to.equal(true);
        expect(stringifyJson(again)).to.equal(stringifyJson(value));
      }),
      { numRuns: 500 },
    );
  });

  it('leaves out the blanks between tokens, and none in strings', () => {
    const written = fc.record({ value: jsonValue, indent: fc.constantFrom('', ' ', '\t') });
    fc.assert(
      fc.property(written, ({ value, indent }) => {
        const text = JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? String(one) : one), indent);
        expect(withoutBlanks(` ${text}\r\n`)).to.equal(JSON.stringify(JSON.parse(text)));
      }),
      { numRuns: 300 },
    );
    expect(withoutBlanks('{"a \\" b" : [ 1 ,\t-0.50 ] }')).to.equal('{"a \\" b":[1,-0.50]}');
  });

  it('writes strings as they are read, and numbers as they stand', () => {
    expect(withPlainStrings('{"\\u0061" : ["\\u00e9\\/", 0.10, -0, 1e3]}')).to.equal('{"a" : ["é/", 0.10, -0, 1e3]}');
    expect(withPlainStrings('"\\x"')).to.equal('"\\x"');
  });

  it('makes bigint exactly of the integers that a double cannot hold', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }), (n) => {
        const safe = n <= BigInt(Number.MAX_SAFE_INTEGER) && n >= -BigInt(Number.MAX_SAFE_INTEGER);
        expect(parseJson(`[${n}]`)).to.deep.equal([safe ? Number(n) : n]);
      }),
    );
  });

  it('keeps the neighbours of 2^53 and 2^64 apart', () => {
    for (const n of ['9007199254740993', '18446744073709551615', '18446744073709551614', '-9223372036854775808']) {
      expect(stringifyJson(parseJson(`{"a": ${n}}`))).to.equal(`{"a":${n}}`);
    }
  });

  it('reads a float as a number, however long', () => {
    expect(parseJson('[1.12345678901234567890, 1e3, 12345678901234567890e0, 1.0]')).to.deep.equal([
      1.1234567890123457, 1000, 12345678901234567000, 1,
    ]);
  });

  it('leaves long digits inside strings alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const value = { [text]: `${text}12345678901234567890`, n: 12345678901234567890n };
        expect(parseJson(stringifyJson(value))).to.deep.equal(value);
      }),
    );
  });

  // Whether a long integer stands elsewhere in the text must not change what the rest means.
  for (const [name, tail] of [
    ['without a long integer', '1'],
    ['beside a long integer', '12345678901234567890'],
  ] as const) {
    it(`takes the last of duplicate members, ${name}`, () => {
      expect((parseJson(`{"a": 1, "a": 2, "n": ${tail}}`) as { a: number }).a).to.equal(2);
    });

    it(`makes __proto__ a plain member, ${name}`, () => {
      const value = parseJson(`{"__proto__": {"return": 5}, "n": ${tail}}`) as Record<string, unknown>;
      expect(Object.keys(value)).to.deep.equal(['__proto__', 'n']);
      expect('return' in value).to.equal(false);
      expect(({} as Record<string, unknown>).return).to.equal(undefined);
    });
  }

  it('refuses what is not one JSON value, with the text at hand', () => {
    const texts = [
      '',
      'hello',
      '{',
      '{"a":}',
      '[1,]',
      '{"a":01}',
      '1 2',
      "{'a': 1}",
      'inf',
      '{"return": {}, "id": inf}',
    ];
    const long = [
      '[012345678901234567890]',
      '{12345678901234567890: 1}',
      '[1234567890123456789',
      '12345678901234567 1',
    ];
    for (const text of [...texts, ...long]) {
      expect(() => parseJson(text), text)
        .to.throw(JsonError)
        .with.property('text', text);
    }
  });

  it('is done with escapes without an end as soon as with others', () => {
    const text = `x"${'\\"'.repeat(1_000_000)} 12345678901234567890`;
    expect(() => parseJson(text)).to.throw(JsonError);
    expect(withoutBlanks(text)).to.equal(text);
    expect(withPlainStrings(`${text}\\`)).to.equal(`${text}\\`);
  });

  it('reads a string of megabytes beside a long integer', () => {
    const text = 'x\\n'.repeat(2_000_000);
    const value = parseJson(`{"s": "${text}", "n": 12345678901234567890}`) as { s: string };
    expect(value.s.length).to.equal(4_000_000);
  });

  it('compares by value: order of members and the kind of integer are without meaning', () => {
    expect(sameJson({ a: 1, b: [2n] }, { b: [2], a: 1n })).to.equal(true);
    expect(sameJson({ a: 1 }, { a: 1, b: 2 })).to.equal(false);
    expect(sameJson({ a: null }, { b: null })).to.equal(false);
    expect(sameJson([1, 2], [2, 1])).to.equal(false);
    expect(sameJson([], {})).to.equal(false);
    expect(sameJson({}, [])).to.equal(false);
    expect(sameJson(0, false)).to.equal(false);
    expect(sameJson('1', 1)).to.equal(false);
    expect(sameJson(1.5, 1)).to.equal(false);
    expect(sameJson(2 ** 53, 2n ** 53n + 1n)).to.equal(false);
    expect(sameJson(JSON.parse('{"__proto__": 1}') as JsonValue, {})).to.equal(false);
  });
});

describe('a member twice in a JSON text', () => {
  const twice = (text: string) => namesTwice(text, parseJson(text));
  it('is found at every level', () => {
    for (const text of ['{"a":1,"a":1}', '[{"b":{"a":1, "a" :2}}]', '{"a":{"b":{},"b":{}},"c":[]}'])
      expect(twice(text), text).to.equal(true);
  });
  it('is no name in another object, and no text that looks like one', () => {
    for (const text of [
      '{"a":{"a":[{"a":1},{"a":2}]}}',
      '{"a":"\\"a\\":1","b":"c\\\\","d":":"}',
      '7',
      '{"x":12345678901234567890}',
    ])
      expect(twice(text), text).to.equal(false);
  });
});

describe('a text somewhere in a JSON value', () => {
  it('is found in strings and in names of members, however deep', () => {
    const value = { a: [1, null, { 'some-name': true }, ['x {channel one} y']], b: 5n };
    expect(mentions(value, '{channel ')).to.equal(true);
    expect(mentions(value, 'me-na')).to.equal(true);
    expect(mentions(value, 'null')).to.equal(false);
    expect(mentions(value, '5')).to.equal(false);
  });
});
