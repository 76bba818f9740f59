/** What comparisons report. */
import type { Feature, Schema } from './schema.js';

/**
 * `yes`: a client that follows the base never notices. `attention`: it may, if it is stricter than it has to be or uses
 * the part in question. `no`: something that the base promises is gone, or something is demanded that it does not know.
 */
export type Compatibility = 'yes' | 'attention' | 'no';

export interface Difference {
  /** For example `migrate.arguments.uri` or `query-migrate.returns.ram.skipped`; `[]` stands for the items of a list. */
  readonly path: string;
  /** Seen from the base: what the other has in addition, lacks, or has in another way. */
  readonly kind: 'added' | 'removed' | 'changed';
  /** One sentence, without the path. */
  readonly text: string;
  readonly compatible: Compatibility;
}

/** The two schemas of a comparison, and where its findings go. */
export interface Sides {
  readonly base: Schema;
  readonly other: Schema;
  readonly report: (difference: Difference) => void;
}

/** Features announce; only the two that announce an end or doubts concern a client that never asked for them. */
export function compareFeatures(
  path: string,
  before: readonly Feature[],
  after: readonly Feature[],
  report: (difference: Difference) => void,
): void {
  const had = new Set(before.map(({ name }) => name));
  const has = new Set(after.map(({ name }) => name));
  for (const name of has) {
    if (had.has(name)) continue;
    const compatible = name === 'deprecated' || name === 'unstable' ? 'attention' : 'yes';
    report({ path, kind: 'changed', text: `is now marked '${name}'`, compatible });
  }
  for (const name of had)
    if (!has.has(name)) {
      const compatible = name === 'deprecated' || name === 'unstable' ? 'yes' : 'attention';
      report({ path, kind: 'changed', text: `is no longer marked '${name}'`, compatible });
    }
}
