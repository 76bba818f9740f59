import { expect } from 'chai';
import { Judge, type JudgedDivergence } from '../../../oracle/judge.js';
import { dialects } from '../../../reference/dialects/dialect.js';
import { loadSchema } from '../../../reference/schema/index.js';
import { simulate } from '../../../simulation/simulate.js';

/** What a divergence says, in whatever order. */
const said = (one: JudgedDivergence | undefined) =>
  one && { ...one, permitted: one.permitted.map(({ words }) => words).sort(), states: [...one.states].sort() };

/** The different states that a judge holds possible. */
const held = (judge: Judge): string[] =>
  ['source', 'destination'].flatMap((name) => [
    ...new Set(
      judge
        .states(name)
        .map(({ parameters, ...rest }) => `${name} ${JSON.stringify([rest, Object.entries(parameters).sort()])}`)
        .sort(),
    ),
  ]);

describe('what is remembered of sets of hypotheses', () => {
  it('is what a search gives, for honest monitors and for others', async () => {
    const faults = ['stop-lost', 'completed-twice', 'active-lost'];
    let [divergences, entries] = [0, 0];
    for (let seed = 0; seed < 32; seed++) {
      const planted = seed % 4 === 0 ? { faults: [faults[(seed / 4) % faults.length] as string] } : {};
      const { transcript, dialect } = await simulate(seed, planted);
      const options = { dialect: dialects[dialect], schema: loadSchema(dialect) };
      // The run was judged once already: nearly everything is remembered.
      const trails = seed % 2 === 0;
      const [one, other] = [new Judge({ ...options, trails }), new Judge({ ...options, trails, forgetful: true })];
      for (const entry of transcript.entries) {
        const [divergence, found] = [one.feed(entry), other.feed(entry)];
        expect(said(divergence), `seed ${seed}, entry ${entry.n}`).to.deep.equal(said(found));
        expect(held(one), `seed ${seed}, entry ${entry.n}`).to.deep.equal(held(other));
        entries++;
        if (divergence === undefined) continue;
        divergences++;
        break;
      }
    }
    expect(entries).to.be.greaterThan(1000);
    expect(divergences).to.be.greaterThan(2);
  });
});
