/** Releases between the baseline and 7.2 that were seen. */
import { expect } from 'chai';
import { dialectFor, dialects } from '../../../reference/dialects/dialect.js';
import type { MigrationRules } from '../../../reference/dialects/migration.js';

const rulesOf = (major: number, minor: number) => dialectFor({ major, minor }).dialect;
const parameter = ({ parameters }: MigrationRules, name: string) => parameters.find((one) => one.name === name);

describe('a release between the baseline and 7.2', () => {
  it('that was seen is described in full', () => {
    for (const [major, minor] of [
      [4, 2],
      [5, 2],
      [6, 2],
    ] as const) {
      const { exact, readings } = dialectFor({ major, minor });
      expect(exact, `${major}.${minor}`).to.equal(true);
      expect(readings).to.deep.equal([]);
    }
    expect(dialectFor({ major: 5, minor: 1 }).exact).to.equal(false);
  });

  it('has the capabilities of its time, and what they exclude', () => {
    const capabilities = (major: number, minor: number) => rulesOf(major, minor).migration.capabilities;
    expect(capabilities(4, 2)).to.include('multifd').and.not.include('x-multifd');
    expect(capabilities(5, 2)).to.deep.equal(capabilities(4, 2));
    expect(capabilities(6, 2)).to.include('background-snapshot').and.not.include('postcopy-preempt');
    const excludes = (major: number, minor: number, ...names: string[]) =>
      rulesOf(major, minor).migration.conflicts.some(({ on }) => names.every((name) => on.includes(name)));
    expect(excludes(4, 2, 'postcopy-ram', 'compress')).to.equal(true);
    expect(excludes(5, 2, 'postcopy-ram', 'compress')).to.equal(false);
    expect(excludes(6, 2, 'multifd', 'compress')).to.equal(false);
    expect(excludes(7, 2, 'multifd', 'compress')).to.equal(true);
  });

  it('has the parameters of its time', () => {
    const bandwidth = (major: number, minor: number) => parameter(rulesOf(major, minor).migration, 'max-bandwidth');
    expect(bandwidth(4, 2)?.initial).to.equal('33554432');
    expect(bandwidth(5, 2)?.initial).to.equal('134217728');
    expect(parameter(rulesOf(4, 2).migration, 'multifd-compression')).to.equal(undefined);
    expect(rulesOf(6, 2).migration.parameters).to.equal(dialects['7.2'].migration.parameters);
  });

  it('answers a request before it acts, as 7.2 does not', () => {
    expect(rulesOf(6, 2).protocol.requestsAct).to.equal('after-reply');
    expect(rulesOf(7, 2).protocol.requestsAct).to.equal('before-reply');
  });

  it('takes nothing of what was seen of it beyond 7.2', () => {
    const { migration } = rulesOf(8, 0);
    expect(migration.ramMembers).to.equal('7.2');
    expect(migration.capabilities).to.include('postcopy-preempt');
  });
});
