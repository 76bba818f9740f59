/** Paths through the outgoing side, and how a case of a table is walked. */
import { expect } from 'chai';
import type { DialectName } from '../../../reference/dialects/dialect.js';
import { walk } from './walk.js';

export const go = 'migrate {"uri":"unix:/m"}';
export const setUp = [go, 'connected', 'first-sync', 'set-up-done'];
export const held = [...setUp, 'converged', 'held'];
export const resume = 'migrate-continue {"state":"pre-switchover"}';
export const toPostcopy = [...setUp, 'migrate-start-postcopy', 'postcopy-started'];

export interface Case {
  readonly rows: string;
  readonly capabilities?: readonly string[];
  readonly dialect?: DialectName;
  readonly paused?: true;
  readonly path: readonly string[];
  readonly story: string;
  /** `status/run state` at the end. */
  readonly end: string;
}

export function walkAll(cases: readonly Case[]): void {
  for (const { rows, capabilities = [], dialect = '3.0', paused = false, path, story, end } of cases) {
    it(`MIG-SM ${rows}`, () => {
      const walked = walk(dialect, { capabilities: ['events', ...capabilities], paused }, ...path);
      expect(walked.story).to.equal(story);
      expect(`${walked.state.out.status}/${walked.state.vm.runState}`).to.equal(end);
    });
  }
}
