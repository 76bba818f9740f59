import { expect } from 'chai';
import fc from 'fast-check';
import { fragments } from '../../protocol/fragments.js';
import { type Frame, Framer } from '../../protocol/framing.js';

const frame = (pieces: readonly Buffer[]): { frames: Frame[]; framer: Framer } => {
  const framer = new Framer();
  return { frames: pieces.flatMap((piece) => framer.push(piece)), framer };
};
const texts = (frames: readonly Frame[]): string[] => frames.map(({ bytes }) => bytes.toString('latin1'));
const once = (text: string) => frame([Buffer.from(text, 'latin1')]);

const container = fc
  .oneof(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), fc.array(fc.jsonValue({ maxDepth: 3 })))
  .chain((value) => fc.constantFrom(JSON.stringify(value), JSON.stringify(value, null, 4).replaceAll('\n', '\r\n')));
const gap = fc.constantFrom('', ' ', '\r\n', '\n', '\t\r\n ');

describe('framing', () => {
  it('gives the same frames however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(gap, container), { maxLength: 5 }),
        fc.array(fc.nat({ max: 300 })),
        fc.integer({ min: 1, max: 7 }),
        (messages, at, every) => {
          const bytes = Buffer.from(messages.flat().join(''), 'utf8');
          const expected = messages.map(([, text]) => Buffer.from(text).toString('latin1'));
          const gaps = messages.map(([before]) => before);
          for (const plan of [{ at }, { every }, undefined]) {
            const { frames, framer } = frame(fragments(bytes, plan));
            expect(texts(frames)).to.deep.equal(expected);
            expect(frames.map(({ before }) => before)).to.deep.equal(gaps);
            expect(framer.partial.length).to.equal(0);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('gives the same frames for garbage however it is cut', () => {
    const hostile = fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', '\n', '\r', 'a', ' ', ':') });
    fc.assert(
      fc.property(hostile, fc.integer({ min: 1, max: 5 }), (text, every) => {
        const bytes = Buffer.from(text);
        const whole = frame([bytes]);
        const cut = frame(fragments(bytes, { every }));
        expect(cut.frames).to.deep.equal(whole.frames);
        expect(cut.framer.partial).to.deep.equal(whole.framer.partial);
        expect(cut.framer.trailing).to.equal(whole.framer.trailing);
      }),
      { numRuns: 500 },
    );
  });

  it('does not lose a byte', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('{', '}', '"', '\\', '\n', '\r', 'a', ' ') }), (text) => {
        const { frames, framer } = once(text);
        const joined = frames.map(({ before, bytes }) => before + bytes.toString('latin1')).join('');
        expect(joined + framer.trailing + framer.partial.toString('latin1')).to.equal(text);
      }),
      { numRuns: 500 },
    );
  });

  it('is not misled by brackets and escaped quotes in strings', () => {
    const messages = ['{"a": "}"}', '{"b": "\\"}"}', '["\\\\", "]"]', '{"c": "\\\\\\""}'];
    expect(texts(once(messages.join('\r\n')).frames)).to.deep.equal(messages);
  });

  it('keeps a message that has begun until it ends', () => {
    const { frames, framer } = once('{"return": {}}\r\n{"event": "ST');
    expect(texts(frames)).to.deep.equal(['{"return": {}}']);
    expect(framer.partial.toString()).to.equal('{"event": "ST');
    expect(texts(framer.push(Buffer.from('OP"}')))).to.deep.equal(['{"event": "STOP"}']);
    expect(framer.trailing).to.equal('');
    framer.push(Buffer.from('\r\n'));
    expect(framer.trailing).to.equal('\r\n');
  });

  it('ends what does not begin with a bracket at its line, without the line end', () => {
    const { frames, framer } = once('HTTP/1.1 400 Bad Request\r\n\r\n{"a": 1}\n} x\nrest');
    expect(texts(frames)).to.deep.equal(['HTTP/1.1 400 Bad Request', '{"a": 1}', '} x']);
    expect(frames.map(({ before }) => before)).to.deep.equal(['', '\r\n\r\n', '\n']);
    expect(framer.partial.toString()).to.equal('rest');
  });

  it('counts both kinds of brackets together and leaves faults to the parser', () => {
    expect(texts(once('{]\r\n[}').frames)).to.deep.equal(['{]', '[}']);
  });
});

describe('fragments', () => {
  const plan = fc.oneof(
    fc.record({ every: fc.integer({ min: -2, max: 40 }) }),
    fc.record({ at: fc.array(fc.integer({ min: -5, max: 60 })) }),
    fc.constant(undefined),
  );

  it('are not empty and concatenate to the whole, whatever the plan', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), plan, (array, plan) => {
        const bytes = Buffer.from(array);
        const pieces = fragments(bytes, plan);
        expect(Buffer.concat(pieces).equals(bytes)).to.equal(true);
        expect(pieces.every((piece) => piece.length > 0)).to.equal(true);
      }),
    );
  });

  it('are cut where the plan says', () => {
    const cut = (p: Parameters<typeof fragments>[1]) => fragments(Buffer.from('abcdef'), p).map(String);
    expect(cut({ every: 4 })).to.deep.equal(['abcd', 'ef']);
    expect(cut({ every: 1 })).to.have.length(6);
    expect(cut({ at: [5, 1, 1, 0, 6, 99] })).to.deep.equal(['a', 'bcde', 'f']);
    expect(cut(undefined)).to.deep.equal(['abcdef']);
  });
});
