/** Which requirements fail on some fault: a requirement that never fails proves nothing. */
import { faults } from '../reference/faults/index.js';
import { chapters } from '../suites/index.js';
import { select } from '../suites/schedule.js';
import type { Crew } from './crew.js';
import { type Kills, recall } from './memory.js';

export interface Proof {
  readonly proven: number;
  readonly unproven: readonly string[];
  readonly seen: Kills;
}

/** Fails each requirement on the fault that is remembered for it; with `search`, tries these faults on all that is left. */
export async function proveRequirements(
  crew: Crew,
  search: string | undefined,
  out: (line: string) => void,
): Promise<Proof> {
  const left = new Set(select(chapters, []).map(({ requirement }) => requirement.id));
  const total = left.size;
  const seen: Record<string, string[]> = {};
  const pass = async (tries: readonly (readonly [string, readonly string[]])[]): Promise<void> => {
    const jobs = tries
      .filter(([, ids]) => ids.length > 0)
      .map(([fault, ids]) => ({ kind: 'run', subject: { fault }, ids, jobs: 4 }) as const);
    await crew.all(jobs, ({ subject: { fault } }, { run }) => {
      const failed = [...(run?.failed ?? [])].sort((a, b) => a.duration - b.duration);
      for (const { id } of failed) left.delete(id);
      if (failed.length > 0) seen[fault] = failed.map(({ id }) => id);
      out(`${fault.padEnd(40)} ${String(failed.length).padStart(5)} failed, ${left.size} left`);
    });
  };
  const remembered = new Map<string, string[]>();
  const open = new Set(left);
  for (const [fault, ids] of Object.entries(recall())) {
    if (!faults.has(fault)) continue;
    const own = ids.filter((id) => open.delete(id));
    remembered.set(fault, own);
  }
  await pass([...remembered]);
  const further = search === '*' ? [...faults.keys()] : (search?.split(',') ?? []);
  for (const fault of further) await pass([[fault, [...left]]]);
  out(`${total} requirements: ${total - left.size} fail on a fault, ${left.size} on none`);
  for (const id of left) out(`  never fails: ${id}`);
  return { proven: total - left.size, unproven: [...left], seen };
}
