/** Runs requirements on a target and notes which entities of the baseline each exercises. */
import { loadSchema } from '../../reference/schema/index.js';
import { learnFacts } from '../../targets/facts.js';
import { InstancePool } from '../../targets/pool.js';
import type { Target } from '../../targets/target.js';
import { notApplicable } from '../applicability.js';
import { conduct } from '../conduct.js';
import type { Requirement } from '../requirement.js';
import { sideBySide } from '../schedule.js';
import { baselineFile, type Entity, entitiesOf } from './entities.js';
import { observe } from './observe.js';

export interface Recording {
  readonly id: string;
  /** What it exercises, in the order of the schema; nothing when it does not apply. */
  readonly entities: readonly Entity[];
  /** Why it did not pass; absent when it did, or does not apply. */
  readonly fault?: string;
}

/** @param jobs requirements side by side */
export async function record(target: Target, requirements: readonly Requirement[], jobs: number): Promise<Recording[]> {
  const schema = loadSchema('3.0');
  const rows = entitiesOf(schema, baselineFile);
  const first = await target.start();
  const facts = await learnFacts(first);
  await first.dispose();
  const one = async (requirement: Requirement): Promise<Recording> => {
    const { id } = requirement;
    if (notApplicable(requirement, target, facts) !== undefined) return { id, entities: [] };
    // Of its own: an instance that has served shows what others did with it.
    const pool = new InstancePool(target, 0);
    try {
      const { verdict, transcript } = await conduct(requirement, { facts, pool, strictDesc: false, seed: 0 });
      const seen = observe(transcript, schema);
      const entities = rows.filter((row) => seen.has(row));
      if (verdict.kind === 'conforms' || verdict.kind === 'not-applicable') return { id, entities };
      return { id, entities, fault: `${verdict.kind}: ${verdict.reason ?? verdict.divergence?.got ?? ''}` };
    } finally {
      await pool.close();
    }
  };
  return Promise.all(sideBySide(requirements, jobs, one));
}
