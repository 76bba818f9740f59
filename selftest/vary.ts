/** Benign variations: none may be flagged. */
import { variations } from '../reference/faults/index.js';
import { chapters } from '../suites/index.js';
import { select } from '../suites/schedule.js';
import type { Crew } from './crew.js';

export interface Flags {
  readonly variation: string;
  readonly judged: number;
  readonly flagged: readonly { readonly id: string; readonly why: string }[];
}

/** Variations that reach into everything get the whole suite; the others a piece of each chapter. */
const everywhere: ReadonlySet<string> = new Set(['split-writes', 'members-reversed', 'unknown-events', 'error-texts']);

/** A piece of each chapter about commands and events: what a variation of what is said can reach. */
const slice = [
  'QMP-TRANS-0*',
  'QMP-GREET-*',
  'QMP-NEG-0*',
  'QMP-REPLY-*',
  'QMP-CMD-0*',
  'QMP-ERR-*',
  'QMP-EVT-0*',
  'QMP-EVT-2*',
  'QMP-BASE-0*',
  'MIG-CMD-Q*',
  'MIG-CMD-SCAP-*',
  'MIG-CMD-INV-*',
  'MIG-CMD-EVT-*',
  'MIG-SM-O0*',
  'MIG-SM-O12*',
  'MIG-SM-O3*',
  'MIG-SM-C0*',
];

export async function varyAll(
  crew: Crew,
  names: readonly string[],
  { whole, qemu }: { readonly whole: boolean; readonly qemu: string | undefined },
  out: (line: string) => void,
): Promise<Flags[]> {
  const part = select(chapters, slice).map(({ requirement }) => requirement.id);
  const width = Math.max(...names.map((name) => name.length), 9);
  out(`${'variation'.padEnd(width)}  judged  flagged`);
  const flags: Flags[] = [];
  const jobs = names.map((variation) => {
    const ids = whole || (qemu === undefined && everywhere.has(variation)) ? [] : part;
    const subject = { variation, ...(qemu === undefined ? {} : { qemu }) };
    return { kind: 'run', subject, ids, jobs: 2 } as const;
  });
  await crew.all(jobs, ({ subject: { variation } }, { run }) => {
    const flagged = (run?.failed ?? []).map(({ id, verdict: { kind, divergence, reason } }) => ({
      id,
      why:
        divergence === undefined
          ? (reason ?? kind)
          : `expected ${divergence.expected.join(', or ')}; got ${divergence.got}`,
    }));
    if (run?.refused !== undefined) flagged.push({ id: 'start', why: run.refused });
    flags.push({ variation, judged: run?.judged ?? 0, flagged });
    out(`${variation.padEnd(width)}  ${String(run?.judged ?? 0).padStart(6)}  ${flagged.length === 0 ? '-' : ''}`);
    for (const { id, why } of flagged) out(`  FLAGGED ${id}: ${why.slice(0, 200)}`);
  });
  const wrong = flags.filter(({ flagged }) => flagged.length > 0).length;
  out(`${names.length} variations of ${variations.size}: ${wrong} flagged`);
  return flags;
}
