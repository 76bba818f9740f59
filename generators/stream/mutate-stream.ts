/** Streams that are almost right: changes that know where the fields of a stream lie (stream-format.md §1 to §5). */

/** Numbers from 0 (included) to 1, the same ones for the same seed. */
export type Random = () => number;

/** A pseudo-random sequence (mulberry32): the same on every machine. */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A part of a stream that means something: an item, a record, a field. */
export interface Span {
  readonly kind: 'item' | 'record' | 'field';
  readonly from: number;
  readonly to: number;
}

/** One change: its name, and what it makes of the bytes. */
export interface Mutator {
  readonly name: string;
  readonly apply: (bytes: Buffer, spans: readonly Span[], random: Random) => Buffer;
}

const pick = <T>(list: readonly T[], random: Random): T | undefined => list[Math.floor(random() * list.length)];
const spanOf = (spans: readonly Span[], random: Random, ...kinds: readonly Span['kind'][]): Span | undefined =>
  pick(
    spans.filter(({ kind }) => kinds.includes(kind)),
    random,
  );
const splice = (bytes: Buffer, from: number, to: number, middle: Buffer = Buffer.alloc(0)): Buffer =>
  Buffer.concat([bytes.subarray(0, from), middle, bytes.subarray(to)]);

/** Values at which fields tend to go wrong. */
const edges = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff] as const;

/** A field of 1 to 8 bytes with another value. */
function revalued(bytes: Buffer, { from, to }: Span, random: Random): Buffer {
  const out = Buffer.from(bytes);
  const width = Math.min(8, to - from);
  if (width < 1) return out;
  const field = Buffer.alloc(8);
  field.writeBigUInt64BE(BigInt(pick(edges, random) ?? 0) << BigInt(random() < 0.2 ? 32 : 0));
  field.copy(out, from, 8 - width);
  return out;
}

export const mutators: readonly Mutator[] = [
  {
    name: 'field',
    apply: (bytes, spans, random) => {
      const span = spanOf(spans, random, 'field');
      return span === undefined ? bytes : revalued(bytes, span, random);
    },
  },
  {
    name: 'bit',
    apply: (bytes, spans, random) => {
      const { from, to } = spanOf(spans, random, 'field', 'record') ?? { from: 0, to: bytes.length };
      const out = Buffer.from(bytes);
      const at = from + Math.floor(random() * (to - from));
      if (at < out.length) out[at] = (out[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      return out;
    },
  },
  {
    name: 'drop',
    apply: (bytes, spans, random) => {
      const span = spanOf(spans, random, 'item', 'record', 'field');
      return span === undefined ? bytes : splice(bytes, span.from, span.to);
    },
  },
  {
    name: 'twice',
    apply: (bytes, spans, random) => {
      const span = spanOf(spans, random, 'item', 'record', 'field');
      return span === undefined ? bytes : splice(bytes, span.to, span.to, bytes.subarray(span.from, span.to));
    },
  },
  {
    name: 'swap',
    apply: (bytes, spans, random) => {
      const kind = random() < 0.5 ? 'item' : 'record';
      const [a, b] = [spanOf(spans, random, kind), spanOf(spans, random, kind)];
      if (a === undefined || b === undefined || a.from === b.from) return bytes;
      const [first, second] = a.from < b.from ? [a, b] : [b, a];
      if (first.to > second.from) return bytes;
      return Buffer.concat([
        bytes.subarray(0, first.from),
        bytes.subarray(second.from, second.to),
        bytes.subarray(first.to, second.from),
        bytes.subarray(first.from, first.to),
        bytes.subarray(second.to),
      ]);
    },
  },
  { name: 'cut', apply: (bytes, _, random) => bytes.subarray(0, Math.floor(random() * bytes.length)) },
  {
    name: 'insert',
    apply: (bytes, spans, random) => {
      const { from } = spanOf(spans, random, 'item', 'record', 'field') ?? { from: 0 };
      const some = Buffer.from(Array.from({ length: 1 + Math.floor(random() * 24) }, () => Math.floor(random() * 256)));
      return splice(bytes, from, from, some);
    },
  },
];

/** One to three changes, one after the other, and their names. A mutator that finds nothing to change does not count. */
export function mutateStream(
  bytes: Buffer,
  spans: readonly Span[],
  random: Random,
): { bytes: Buffer; names: string[] } {
  let out = bytes;
  const names: string[] = [];
  for (let left = 1 + Math.floor(random() * 3); left > 0; ) {
    const mutator = pick(mutators, random) as Mutator;
    // Later changes may hit places that earlier ones have moved: that is as good as any other place.
    const changed = mutator.apply(
      out,
      spans.filter(({ to }) => to <= out.length),
      random,
    );
    if (changed.equals(out)) continue;
    out = changed;
    names.push(mutator.name);
    left--;
  }
  return { bytes: out, names };
}
