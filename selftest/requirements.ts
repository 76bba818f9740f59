/**
 * The other way round: each requirement must fail on some fault, for one that never fails proves nothing. First that on which
 * it failed before, then the faults of rows near its own, then the dialects and processes that can show what others cannot.
 */
import { faults } from '../reference/faults/index.js';
import { chapters } from '../suites/index.js';
import { select } from '../suites/schedule.js';
import { recall, recallProofs, rememberProofs } from './memory.js';
import type { Result } from './results.js';
import type { Round } from './table.js';
import type { Subject } from './trial-run.js';
import { unproven } from './unproven.js';

/** Requirements tried on one planted fault. `name` says which one, how it was planted and in which pass. */
type ProofResult = Result & {
  readonly kind: 'proof';
  readonly how: string;
  readonly tried: readonly string[];
  readonly failed: readonly string[];
};

export interface RequirementTable {
  readonly proven: Readonly<Record<string, string>>;
  /** Those that failed on nothing although everything was tried, and stand in no list of excuses. */
  readonly wrong: readonly string[];
  /** Trials that there was no time for. */
  readonly left: readonly string[];
}

/** `fault`, `fault 7.2`, `fault process`: how a fault is planted, in one word or two. */
export function plantedAs(how: string): Subject {
  const [fault = '', ...more] = how.split(' ');
  const own = faults.get(fault)?.dialect;
  const dialect = more.find((one): one is '7.2' | '10.0' => one === '7.2' || one === '10.0') ?? own;
  return {
    fault,
    ...(dialect === undefined ? {} : { dialect }),
    ...(more.includes('process') ? { process: true } : {}),
  };
}

/** Without its number and what follows: `MIG-STR-BAD`, `MIG-SM-O`. */
const sectionOf = (row: string): string => row.replace(/\..*$/, '').replace(/-?\d+$/, '');
const chapterOf = (row: string): string => row.split('-').slice(0, 2).join('-');

interface Pass {
  readonly title: string;
  /** What is tried: how it is planted, and which of the requirements that are left. */
  readonly tries: (left: ReadonlySet<string>) => Iterable<readonly [how: string, ids: readonly string[]]>;
}

/** Requirements that a fault may be about, by how near their rows are. */
const near = (of: (row: string) => string, how: (fault: string) => string): Pass['tries'] =>
  function* (left) {
    for (const [fault, { rows }] of faults) {
      const sections = new Set(rows.map(of));
      const ids = [...left].filter((id) => sections.has(of(id)));
      if (ids.length > 0) yield [how(fault), ids];
    }
  };

function remembered(left: ReadonlySet<string>): [string, string[]][] {
  const byHow = new Map<string, string[]>();
  const known = new Map<string, string>();
  for (const [fault, ids] of Object.entries(recall()))
    if (faults.has(fault)) for (const id of ids) if (!known.has(id)) known.set(id, fault);
  for (const [id, how] of Object.entries(recallProofs())) if (faults.has(how.split(' ')[0] ?? '')) known.set(id, how);
  for (const [id, how] of known) if (left.has(id)) byHow.set(how, [...(byHow.get(how) ?? []), id]);
  return [...byHow];
}

const passes: readonly Pass[] = [
  { title: 'remembered', tries: remembered },
  { title: 'section', tries: near(sectionOf, (fault) => fault) },
  { title: 'section', tries: near(sectionOf, (fault) => `${fault} 7.2`) },
  { title: 'section', tries: near(sectionOf, (fault) => `${fault} 10.0`) },
  { title: 'section', tries: near(sectionOf, (fault) => `${fault} process`) },
  { title: 'chapter', tries: near(chapterOf, (fault) => fault) },
];

/** @param record keep what is new in selftest/proofs.json */
export async function proveRequirements({ crew, results, out }: Round, record: boolean): Promise<RequirementTable> {
  const all = select(chapters, []).map(({ requirement }) => requirement.id);
  const left = new Set(all);
  const proven: Record<string, string> = {};
  const undone: string[] = [];
  const take = ({ how, failed }: Pick<ProofResult, 'how' | 'failed'>) => {
    for (const id of failed) if (left.delete(id)) proven[id] = how;
  };
  for (const { title, tries } of passes) {
    const fresh = [];
    for (const [how, ids] of tries(left)) {
      const name = `${title} ${how}`;
      const known = results.find<ProofResult>('proof', 'reference', name);
      if (known !== undefined) take(known);
      const open = ids.filter((id) => left.has(id) && !known?.tried.includes(id));
      if (open.length > 0) fresh.push({ kind: 'prove', name, how, ids: open, done: known } as const);
    }
    const begun = new Set<string>();
    const missing = await crew.all(
      fresh.map((job) => ({ ...job, subject: plantedAs(job.how) })),
      ({ name, how, ids, done }, { run }) => {
        const failed = (run?.failed ?? []).map(({ id }) => id);
        const before = left.size;
        take({ how, failed });
        results.add<ProofResult>({
          kind: 'proof',
          subject: 'reference',
          name,
          how,
          tried: [...(done?.tried ?? []), ...ids],
          failed: [...(done?.failed ?? []), ...failed],
        });
        if (left.size < before)
          out(`${name.padEnd(60)} ${String(before - left.size).padStart(4)} more, ${left.size} left`);
      },
      // What others have proven meanwhile is not tried again.
      (job) => {
        const ids = job.ids.filter((id) => left.has(id));
        begun.add(job.name);
        return ids.length === 0 ? undefined : { ...job, ids };
      },
    );
    if (missing > 0) undone.push(...fresh.map(({ name }) => name).filter((name) => !begun.has(name)));
    if (undone.length > 0 || left.size === 0) break;
  }
  if (record) rememberProofs(proven, new Set(all));
  const excused = [...left].filter((id) => unproven[id] !== undefined);
  const wrong = [...left].filter((id) => unproven[id] === undefined);
  const shown = all.length - left.size;
  out(
    `${all.length} requirements: ${shown} fail on a fault, ${excused.length} on none for a reason, ${wrong.length} on none`,
  );
  for (const id of excused) out(`  cannot be made to fail: ${id}: ${unproven[id]}`);
  for (const id of wrong) out(`  ${undone.length > 0 ? 'not shown yet' : 'never fails'}: ${id}`);
  return { proven, wrong: undone.length > 0 ? [] : wrong, left: undone };
}
