/** Benign variations: none may be flagged by any requirement. */
import { variations } from '../reference/faults/index.js';
import { chapters } from '../suites/index.js';
import { select, shardOf } from '../suites/schedule.js';
import type { Result } from './results.js';
import type { Round } from './table.js';

export interface Flags {
  readonly variation: string;
  readonly judged: number;
  readonly flagged: readonly { readonly id: string; readonly why: string }[];
}

type FlagsResult = Result & { readonly kind: 'flags' } & Flags;

/** The suite is run on a variation in so many pieces, each a result of its own: none takes long. */
const pieces = 24;

export interface VariationTable {
  readonly flags: readonly Flags[];
  /** Variations that there was no time for, or not for the whole suite. */
  readonly left: readonly string[];
}

/** Runs the whole suite on each, as far as the results do not tell it yet. */
export async function varyAll({ crew, results, qemu, out }: Round, names: readonly string[]): Promise<VariationTable> {
  const subject = qemu ?? 'reference';
  const width = Math.max(...names.map((name) => name.length), 9);
  const all = select(chapters, []);
  const pieceOf = (variation: string, piece: number) => `${variation} ${piece}/${pieces}`;
  const found = (variation: string): Flags | undefined => {
    const parts = Array.from({ length: pieces }, (_, i) =>
      results.find<FlagsResult>('flags', subject, pieceOf(variation, i + 1)),
    );
    if (parts.includes(undefined)) return undefined;
    const whole = parts as FlagsResult[];
    return {
      variation,
      judged: whole.reduce((sum, { judged }) => sum + judged, 0),
      flagged: whole.flatMap(({ flagged }) => flagged),
    };
  };
  out(`${'variation'.padEnd(width)}  judged  flagged`);
  const told = new Set<string>();
  const row = (variation: string): void => {
    const flags = told.has(variation) ? undefined : found(variation);
    if (flags === undefined) return;
    told.add(variation);
    out(`${variation.padEnd(width)}  ${String(flags.judged).padStart(6)}  ${flags.flagged.length || '-'}`);
    for (const { id, why } of flags.flagged) out(`  FLAGGED ${id}: ${why.slice(0, 200)}`);
  };
  names.forEach(row);
  const jobs = names.flatMap((variation) =>
    Array.from({ length: pieces }, (_, i) => i + 1)
      .filter((piece) => results.find('flags', subject, pieceOf(variation, piece)) === undefined)
      .map((piece) => {
        const ids = shardOf(all, piece, pieces).map(({ requirement }) => requirement.id);
        return { kind: 'vary', piece, subject: { variation, ...(qemu === undefined ? {} : { qemu }) }, ids } as const;
      }),
  );
  await crew.all(jobs, ({ subject: { variation }, piece }, { run }) => {
    const flagged = (run?.failed ?? []).map(({ id, verdict: { kind, divergence, reason } }) => ({
      id,
      why:
        divergence === undefined
          ? (reason ?? kind)
          : `expected ${divergence.expected.join(', or ')}; got ${divergence.got}`,
    }));
    if (run?.refused !== undefined) flagged.push({ id: 'start', why: run.refused });
    const name = pieceOf(variation, piece);
    results.add<FlagsResult>({ kind: 'flags', subject, name, variation, judged: run?.judged ?? 0, flagged });
    row(variation);
  });
  const flags = names.flatMap((name) => found(name) ?? []);
  const wrong = flags.filter(({ flagged }) => flagged.length > 0).length;
  const left = names.filter((name) => !told.has(name));
  const rest = left.length === 0 ? '' : `, ${left.length} not tried to the end yet`;
  out(`${names.length} variations of ${variations.size}: ${wrong} flagged${rest}`);
  return { flags, left };
}
