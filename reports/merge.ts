/** The shards of a run, put together again: no shard may be missing, come twice, or be of another run. */
import { exitCodes } from '../oracle/exit-codes.js';
import type { RequirementEnded, RunEvent, RunFooter, RunHeader, Shard } from '../oracle/run-events.js';
import type { VerdictKind } from '../oracle/verdict.js';
import { PlanNotMet } from './stream-error.js';

/** One recorded run, whose stream was found to be whole. */
export interface RecordedRun {
  /** For messages. */
  readonly file: string;
  readonly events: readonly RunEvent[];
}

/** When shards end differently, the first of these decides. */
const gravest: readonly number[] = [
  exitCodes.interrupted,
  exitCodes.internal,
  exitCodes.divergences,
  exitCodes.target,
  exitCodes.planNotMet,
  exitCodes.vacuous,
  exitCodes.inconclusive,
  exitCodes.expectations,
  exitCodes.conforms,
  // One shard may hold nothing that applies; the whole is judged by the others.
  exitCodes.nothingSelected,
];

/** What must be the same in every shard. */
const common = ['tool', 'target', 'product', 'productVersion', 'dialect', 'seed', 'strict'] as const;

interface Part {
  readonly file: string;
  readonly header: RunHeader;
  readonly shard: Shard;
  readonly footer: RunFooter;
  readonly others: readonly RunEvent[];
}

/** @throws PlanNotMet naming the shard that is missing, comes twice, or does not belong to the others */
export function mergeShards(runs: readonly RecordedRun[]): RunEvent[] {
  const parts = runs.map(partOf).sort((a, b) => a.shard.index - b.shard.index);
  const [first, ...rest] = parts as [Part, ...Part[]];
  for (const part of rest) {
    const odd = common.find((member) => part.header[member] !== first.header[member]);
    if (odd !== undefined) {
      const of = ({ file, header }: Part) => `${file} has ${String(header[odd])}`;
      throw new PlanNotMet(`the shards are not of one run: ${odd} differs: ${of(first)}, ${of(part)}`);
    }
    if (part.shard.count !== first.shard.count || part.shard.total !== first.shard.total) {
      throw new PlanNotMet(`the shards are not of one run: ${first.file} and ${part.file} divide another selection`);
    }
  }
  complete(parts);
  const outcomes = parts.flatMap(({ others }) => others.filter(isOutcome));
  if (outcomes.length !== first.shard.total) {
    throw new PlanNotMet(
      `${first.shard.total} requirements were planned in all shards, ${outcomes.length} were reported`,
    );
  }
  return joined(parts, outcomes);
}

function complete(parts: readonly Part[]): void {
  const { count } = (parts[0] as Part).shard;
  for (let index = 1; index <= count; index++) {
    const found = parts.filter(({ shard }) => shard.index === index);
    if (found.length === 0) throw new PlanNotMet(`shard ${index}/${count} is missing`);
    if (found.length > 1) {
      throw new PlanNotMet(`shard ${index}/${count} comes twice: ${found.map(({ file }) => file).join(', ')}`);
    }
  }
}

function joined(parts: readonly Part[], outcomes: readonly RequirementEnded[]): RunEvent[] {
  const { header } = parts[0] as Part;
  const { shard: _, ...whole } = header;
  const footers = parts.map(({ footer }) => footer);
  const counts: Partial<Record<VerdictKind, number>> = {};
  for (const { verdict } of outcomes) counts[verdict.kind] = (counts[verdict.kind] ?? 0) + 1;
  const aborted = footers.find((footer) => footer.aborted !== undefined)?.aborted;
  const exitCode = gravest.find((code) => footers.some((footer) => footer.exitCode === code)) ?? exitCodes.internal;
  // Entries of the expectations file that fit nothing are the same in every shard.
  const seen = new Set<string>();
  const others = parts.flatMap(({ others }) =>
    others.filter((event) => {
      if (event.event !== 'unmatched') return true;
      return !seen.has(event.text) && seen.add(event.text);
    }),
  );
  return [
    {
      ...whole,
      planned: outcomes.length,
      began: parts.map((part) => part.header.began).sort()[0] as string,
      reproduce: header.reproduce.replace(/ --shard \S+/, ''),
    },
    ...others,
    {
      event: 'footer',
      counts,
      planned: outcomes.length,
      ran: outcomes.length,
      duration: footers.reduce((sum, { duration }) => sum + duration, 0),
      ...(aborted === undefined ? {} : { aborted }),
      exitCode,
    },
  ];
}

function partOf({ file, events }: RecordedRun): Part {
  const header = events[0] as RunHeader;
  if (header.shard === undefined) throw new PlanNotMet(`${file} is no shard: it was not run with --shard`);
  const footer = events.at(-1) as RunFooter;
  return { file, header, shard: header.shard, footer, others: events.slice(1, -1) };
}

const isOutcome = (event: RunEvent): event is RequirementEnded => event.event === 'requirement';
