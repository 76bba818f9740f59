/** How bytes are cut into writes: at every byte, inside characters, escapes and numbers, around the ends of messages. */
import type { FragmentPlan } from '../../protocol/fragments.js';
import type { Tape } from '../scenario/tape.js';

export type Cut = 'whole' | 'byte by byte' | 'even' | 'inside' | 'around ends' | 'anywhere';

export interface WritePlan {
  readonly cut: Cut;
  /** Absent: one write. */
  readonly plan?: FragmentPlan;
}

/** Offsets where a piece of meaning is torn: behind a lead byte, a backslash, a digit, a quote. */
function tears(bytes: Buffer): number[] {
  const found: number[] = [];
  for (let at = 1; at < bytes.length; at++) {
    const [before, here] = [bytes[at - 1] as number, bytes[at] as number];
    const insideCharacter = here >= 0x80 && here < 0xc0;
    const digits = before >= 0x30 && before <= 0x39 && here >= 0x30 && here <= 0x39;
    if (insideCharacter || before === 0x5c || digits || before === 0x22) found.push(at);
  }
  return found;
}

/** Offsets before, behind and around what ends a message. */
function ends(bytes: Buffer): number[] {
  const found: number[] = [];
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === 0x7d || bytes[at] === 0x0a) found.push(at, at + 1);
  }
  return [...new Set(found)].filter((at) => at > 0 && at < bytes.length);
}

const some = (tape: Tape, offsets: readonly number[]): number[] =>
  offsets.length <= 8 ? [...offsets] : Array.from({ length: 8 }, () => tape.pick(offsets)).sort((a, b) => a - b);

/** A plan for these bytes. Bytes are never lost or changed by one: see `fragments`. */
export function writePlan(tape: Tape, bytes: Buffer): WritePlan {
  return tape.pick<() => WritePlan>([
    () => ({ cut: 'whole' }),
    // Longer input than this would take a write for each byte without telling more.
    () => (bytes.length <= 400 ? { cut: 'byte by byte', plan: { every: 1 } } : { cut: 'even', plan: { every: 97 } }),
    () => ({ cut: 'even', plan: { every: Math.max(1 + tape.number(16), Math.ceil(bytes.length / 200)) } }),
    () => ({ cut: 'inside', plan: { at: some(tape, tears(bytes)) } }),
    () => ({ cut: 'around ends', plan: { at: some(tape, ends(bytes)) } }),
    () => ({
      cut: 'anywhere',
      plan: { at: Array.from({ length: 1 + tape.number(5) }, () => 1 + tape.number(Math.max(1, bytes.length - 1))) },
    }),
  ])();
}
