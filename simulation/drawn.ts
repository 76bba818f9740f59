/** The scenario of a seed from chosen sources of cases. */
import type { CaseSource } from '../generators/sources.js';
import { type DialectName, dialects } from '../reference/dialects/dialect.js';
import { loadSchema } from '../reference/schema/index.js';
import type { Scenario } from '../targets/scenario.js';
import { Random } from './random.js';

/** Always the same for the same seed, dialect and sources, which are drawn by their weights. */
export function drawn(seed: number, dialect: DialectName, sources: readonly CaseSource[]): Scenario {
  const random = new Random(seed);
  let left = random.below(sources.reduce((sum, { weight }) => sum + weight, 0));
  const source = sources.find(({ weight }) => {
    left -= weight;
    return left < 0;
  }) as CaseSource;
  const tape = Array.from({ length: source.length }, () => random.below(2 ** 30));
  const scenario = source.make(tape, { dialect: dialects[dialect], schema: loadSchema(dialect) });
  return { ...scenario, seed, title: scenario.title ?? `${source.name}, seed ${seed}` };
}
