/** Tells early that a monitor says nothing of its migrations: each requirement that waits for an event waits in vain. */
import type { Verdict } from '../oracle/verdict.js';
import type { Entry } from '../protocol/transcript.js';

/** Requirements that have waited in vain before it is told. */
const enough = 4;
const awaited = /^event (MIGRATION|STOP|RESUME)/;
const ofMigration = /"event": ?"(MIGRATION|STOP|RESUME)/;

export class Unheard {
  private waited = 0;
  private heard = false;

  /** What is to be told after this requirement, the one time that there is something. */
  remark(verdict: Verdict, entries: readonly Entry[]): string | undefined {
    this.heard ||= entries.some(({ kind, text }) => kind === 'received' && ofMigration.test(text));
    const { expected = [], got = '' } = verdict.divergence ?? {};
    if (this.heard || !got.startsWith('nothing within') || !expected.some((one) => awaited.test(one))) return undefined;
    this.waited++;
    if (this.waited !== enough) return undefined;
    return `${enough} requirements have waited for an event of a migration, and the target has never sent one: each that waits takes its whole deadline`;
  }
}
