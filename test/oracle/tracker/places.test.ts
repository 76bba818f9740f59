import { expect } from 'chai';
import { chooseSources } from '../../../generators/sources.js';
import { Judge, type JudgedDivergence } from '../../../oracle/judge.js';
import { placeKey } from '../../../oracle/tracker/transition-name.js';
import type { Transcript } from '../../../protocol/transcript.js';
import { type DialectName, dialects } from '../../../reference/dialects/dialect.js';
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

/** What was taken, in whatever order. */
const taken = ({ transitions: { sure, possible } }: Judge) =>
  [sure, possible].map((all) => [...new Set(all.map(placeKey))].sort());

/** Judges a run with and without memory, entry by entry. @returns the entries, and whether it diverged */
function compare(transcript: Transcript, dialect: DialectName, trails: boolean, what: string): [number, boolean] {
  const options = { dialect: dialects[dialect], schema: loadSchema(dialect), trails };
  const [one, other] = [new Judge(options), new Judge({ ...options, forgetful: true })];
  let entries = 0;
  let diverged = false;
  for (const entry of transcript.entries) {
    const [divergence, found] = [one.feed(entry), other.feed(entry)];
    expect(said(divergence), `${what}, entry ${entry.n}`).to.deep.equal(said(found));
    expect(held(one), `${what}, entry ${entry.n}`).to.deep.equal(held(other));
    entries++;
    diverged = divergence !== undefined;
    if (diverged) break;
  }
  expect(taken(one), what).to.deep.equal(taken(other));
  expect(taken(one)[0]?.length ?? 0, what).to.be.greaterThan(trails ? 0 : -1);
  return [entries, diverged];
}

describe('what is remembered of sets of hypotheses', () => {
  it('is what a search gives, for honest monitors and for others', async () => {
    const faults = ['stop-lost', 'completed-twice', 'active-lost'];
    let [divergences, entries] = [0, 0];
    for (let seed = 0; seed < 32; seed++) {
      const planted = seed % 4 === 0 ? { faults: [faults[(seed / 4) % faults.length] as string] } : {};
      // The run is judged once before: nearly everything is remembered.
      const { transcript, dialect } = await simulate(seed, planted);
      const [judged, diverged] = compare(transcript, dialect, seed % 8 < 4, `seed ${seed}`);
      entries += judged;
      if (diverged) divergences++;
    }
    expect(entries).to.be.greaterThan(1000);
    expect(divergences).to.be.greaterThan(2);
  });

  it('is that while many commands wait, too', async () => {
    const [storm, timing] = chooseSources(['storm', 'timing']);
    let most = 0;
    for (let seed = 0; seed < 8; seed++) {
      const dialect = (['7.2', '3.0', '10.0'] as const)[seed % 3] as DialectName;
      const tape = Array.from({ length: 80 }, (_, i) => (seed * 7919 + i * 104_729) % 9973);
      const surroundings = { dialect: dialects[dialect], schema: loadSchema(dialect) };
      const scenario = (seed % 2 === 0 ? storm : timing)?.make(tape, surroundings);
      if (scenario === undefined) throw new Error('there are no such sources');
      const planted = seed === 6 ? { faults: ['stop-lost'] } : {};
      const { transcript } = await simulate(seed, { dialect, scenario, ...planted });
      for (const { kind, text } of transcript.entries)
        if (kind === 'sent') most = Math.max(most, text.split('\n').length - 1);
      compare(transcript, dialect, seed % 4 < 2, `seed ${seed}`);
    }
    expect(most).to.be.greaterThan(15);
  });
});
