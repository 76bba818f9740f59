/**
 * Raw input of a monitor: texts of every family, and the same with mutations; each with the replies that the rules of a dialect
 * ask for, and with a way back, after which a command is understood again whatever came before (QMP-LEX-04).
 */
import type fc from 'fast-check';
import type { Dialect } from '../../reference/dialects/dialect.js';
import { Tape, tapes } from '../scenario/tape.js';
import { type ExpectedReplies, expectedReplies } from './expected.js';
import { type Family, families } from './families.js';

export interface RawText {
  readonly family: Family;
  /** Number of bytes that were changed, taken out, put in or doubled. */
  readonly mutations: number;
  /** One character each. */
  readonly bytes: string;
  readonly expected: ExpectedReplies;
}

/** Brings a monitor back to where it takes the next command: a byte that no text may hold, and the end of the line. */
export const resynchronisation = '\xff\n';

/** Bytes that mutations put in. */
const bytes = '{}[]:,"\'\\ \t\n0-eE.%/u\0\x01\x7f\x80\xc0\xc3\xe2\xed\xf0\xf5\xfe\xff';

function mutate(tape: Tape, text: string): string {
  const at = tape.number(text.length + 1);
  const byte = bytes.charAt(tape.number(bytes.length));
  return tape.pick<() => string>([
    () => text.slice(0, at) + byte + text.slice(at),
    () => text.slice(0, at) + text.slice(at + 1),
    () => text.slice(0, at) + byte + text.slice(at + 1),
    () => text.slice(0, at) + text.slice(Math.max(0, at - 1 - tape.number(12))),
    () =>
      text.slice(0, at) + String.fromCharCode((text.charCodeAt(at) || 0) ^ (1 << tape.number(8))) + text.slice(at + 1),
  ])();
}

/** The raw text that a tape stands for. */
export function rawText(tape: Tape, dialect: Dialect): RawText {
  const { name, make } = tape.pick(families);
  const mutations = tape.weighted([
    [5, 0],
    [3, 1],
    [1, 2],
    [1, 5],
  ]);
  let text = make(tape);
  for (let left = mutations; left > 0; left--) text = mutate(tape, text);
  // A number or word at the very end is complete only when something follows.
  const whole = `${text}\n`;
  return { family: name, mutations, bytes: whole, expected: expectedReplies(whole, dialect) };
}

/** Raw texts for a dialect, for fast-check. */
export const rawTexts = (dialect: Dialect): fc.Arbitrary<RawText> =>
  tapes(40).map((decisions) => rawText(new Tape(decisions), dialect));
