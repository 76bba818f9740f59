/** What is not asked of a monitor that must outlive the run, and of one that does not migrate. */
import { expect } from 'chai';
import type { Entry } from '../../protocol/transcript.js';
import { dialects } from '../../reference/dialects/dialect.js';
import { loadSchema } from '../../reference/schema/index.js';
import { notApplicable } from '../../suites/applicability.js';
import { commandThatLacks } from '../../suites/lacking.js';
import type { Requirement } from '../../suites/requirement.js';
import { withoutMigrationNote } from '../../suites/without-migration.js';
import type { TargetFacts } from '../../targets/facts.js';
import type { Target } from '../../targets/target.js';

const facts = (version: string, commands?: readonly string[]): TargetFacts => ({
  product: 'qemu',
  version,
  package: '',
  greeting: {},
  dialect: dialects['3.0'],
  schema: loadSchema('3.0'),
  ...(commands === undefined ? {} : { commands: new Set(commands) }),
});

describe('a requirement that ends the process of some releases', () => {
  const requirement: Requirement = {
    id: 'X',
    level: 'MUST',
    title: '',
    spec: 'commands.md §6',
    needs: { deadly: ['MIG-DEF-30'] },
    run: async () => undefined,
  };
  const target = (exit?: string) => ({ lacks: () => exit }) as unknown as Target;

  it('is not tried on such a release that runs already', () => {
    expect(notApplicable(requirement, target('it runs already'), facts('4.2.0'))).to.equal(
      'it runs already, and MIG-DEF-30 would end it',
    );
  });

  it('is tried on one that is started, and on other releases', () => {
    expect(notApplicable(requirement, target(), facts('4.2.0'))).to.equal(undefined);
    expect(notApplicable(requirement, target('it runs already'), facts('7.2.0'))).to.equal(undefined);
  });
});

describe('a monitor without commands of migration', () => {
  const list = ['qmp_capabilities', 'query-version', 'query-commands'];

  it('is told from one that lacks some, and from one that does not list any', () => {
    expect(withoutMigrationNote(facts('3.0.0', list))).to.contain('only the protocol itself');
    for (const other of [facts('3.0.0', [...list, 'migrate_cancel']), facts('3.0.0')]) {
      expect(withoutMigrationNote(other)).to.equal(undefined);
    }
  });

  it('lacks what a schema that stands in for its own has', () => {
    const refused = [
      { kind: 'sent', text: '{"execute":"query-migrate"}' },
      { kind: 'received', text: '{"error":{"class":"CommandNotFound","desc":""}}' },
    ] as Entry[];
    expect(commandThatLacks(refused, facts('3.0.0', list))).to.equal('query-migrate');
    expect(commandThatLacks(refused, facts('3.0.0', [...list, 'query-migrate']))).to.equal(undefined);
  });

  it('has no excuse in what its release has dropped: that is asked for to see that it is gone', () => {
    const refused = [
      { kind: 'sent', text: '{"execute":"query-events"}' },
      { kind: 'received', text: '{"error":{"class":"CommandNotFound","desc":""}}' },
    ] as Entry[];
    expect(commandThatLacks(refused, facts('3.0.0', list))).to.equal('query-events');
    expect(commandThatLacks(refused, { ...facts('10.0.0', list), dialect: dialects['10.0'] })).to.equal(undefined);
  });
});
