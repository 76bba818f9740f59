/** Each planted fault of the data path is caught by a requirement of a row that it violates. */
import { expect } from 'chai';
import type { DialectName } from '../../../reference/dialects/dialect.js';
import { faults, seamOf } from '../../../reference/faults/index.js';
import { notApplicable } from '../../../suites/applicability.js';
import { conduct } from '../../../suites/conduct.js';
import { chapters } from '../../../suites/index.js';
import type { Requirement } from '../../../suites/requirement.js';
import { sideBySide } from '../../../suites/schedule.js';
import { learnFacts, type TargetFacts } from '../../../targets/facts.js';
import { InProcessTarget } from '../../../targets/in-process/target.js';
import { InstancePool } from '../../../targets/pool.js';

const all = chapters.flatMap(({ requirements }) => requirements);
const wire = [...faults].filter(([, fault]) => seamOf(fault) === 'wire');

/** Requirements of a row: its own id, or that with a word behind it. */
const ofRow = (row: string): Requirement[] => all.filter(({ id }) => id === row || id.startsWith(`${row}.`));

describe('planted faults of the data path', () => {
  const facts = new Map<DialectName, Promise<TargetFacts>>();
  const factsOf = (dialect: DialectName): Promise<TargetFacts> => {
    const known = facts.get(dialect);
    if (known !== undefined) return known;
    const asked = (async () => {
      const target = new InProcessTarget({ dialect });
      try {
        return await learnFacts(await target.start());
      } finally {
        await target.close();
      }
    })();
    facts.set(dialect, asked);
    return asked;
  };

  /** Verdicts of the requirements, until one is not "conforms". */
  async function judged(dialect: DialectName, names: readonly string[], requirements: readonly Requirement[]) {
    // What a fault has swallowed is not waited for long; an honest monitor has time, however busy the host is.
    const deadline = names.length > 0 ? 1500 : 15_000;
    const target = new InProcessTarget({ dialect, faults: names, deadline });
    const pool = new InstancePool(target, 0);
    const settings = { facts: await factsOf(dialect), pool, strictDesc: false, seed: 1 };
    const verdicts: string[] = [];
    try {
      for (const requirement of requirements) {
        if (notApplicable(requirement, target, settings.facts) !== undefined) continue;
        const { verdict } = await conduct(requirement, settings);
        verdicts.push(`${requirement.id} ${verdict.kind}`);
        if (verdict.kind !== 'conforms') break;
      }
    } finally {
      await pool.close();
      await target.close();
    }
    return verdicts;
  }

  // Most of them wait for what a fault has swallowed: several at a time.
  const verdictsOf = new Map<string, Promise<string[]>>();
  before(() => {
    const runs = sideBySide(wire, 4, ([name, fault]) =>
      judged(fault.dialect ?? '3.0', [name], fault.rows.flatMap(ofRow)),
    );
    for (const [i, [name]] of wire.entries()) verdictsOf.set(name, runs[i] as Promise<string[]>);
  });
  after(() => Promise.allSettled(verdictsOf.values()));

  for (const [name, fault] of wire) {
    it(`${name}: the suite sees a monitor that ${fault.title}`, async () => {
      const verdicts = (await verdictsOf.get(name)) ?? [];
      expect(verdicts.at(-1), verdicts.join(', ')).to.match(/ (divergence|crash|hang)$/);
    }).timeout(120_000);
  }

  it('cite rows that requirements state', () => {
    for (const [name, { rows }] of wire) expect(rows.flatMap(ofRow), name).not.to.have.length(0);
  });

  it('are all that is wrong: without one the same requirements conform', async () => {
    const ids = new Set(wire.flatMap(([, { rows }]) => rows.flatMap(ofRow)).map(({ id }) => id));
    const runs = sideBySide(
      all.filter(({ id }) => ids.has(id)),
      4,
      (requirement) => judged('3.0', [], [requirement]),
    );
    const verdicts = (await Promise.all(runs)).flat();
    expect(verdicts.filter((verdict) => !verdict.endsWith(' conforms'))).to.deep.equal([]);
  }).timeout(120_000);
});
