import { expect } from 'chai';
import { simulateBatch } from '../../simulation/batch.js';
import { type Simulation, simulate } from '../../simulation/simulate.js';

describe('the simulation', () => {
  it('gives the same transcript for the same seed, byte for byte', async () => {
    for (const seed of [1, 2, 3, 26, 29]) {
      const [one, two] = [await simulate(seed), await simulate(seed)];
      const [lines, others] = [one, two].map(({ transcript }) => transcript.toJsonLines().split('\n')) as [
        string[],
        string[],
      ];
      const at = lines.findIndex((line, n) => line !== others[n]);
      expect([lines[at - 1], lines[at]], `seed ${seed}, line ${at}`).to.deep.equal([others[at - 1], others[at]]);
      expect(others.length).to.equal(lines.length);
      expect(one.moves).to.equal(two.moves);
    }
  });

  for (const [fault, seed] of [
    ['event-before-negotiation', 17],
    ['timestamps-differ', 231],
    ['events-cross-negotiation', 233],
  ] as const) {
    it(`repeats a run with planted ${fault}, whose events bear the time of the run`, async () => {
      const [one, two] = [await simulate(seed, { faults: [fault] }), await simulate(seed, { faults: [fault] })];
      expect(two.transcript.toJsonLines()).to.equal(one.transcript.toJsonLines());
      const times = one.transcript.entries.flatMap(({ text }) => /"seconds": (\d+)/.exec(text)?.[1] ?? []);
      expect(times.length).to.be.above(0);
      for (const seconds of times) expect(new Date(Number(seconds) * 1000).getUTCFullYear()).to.equal(2018);
    });
  }

  it('orders what happens by its seed, even for the same scenario', async () => {
    const { scenario, dialect } = await simulate(7);
    const texts = new Set<string>();
    for (let seed = 1; seed <= 5; seed++) {
      const { transcript } = await simulate(seed, { scenario, dialect });
      texts.add(transcript.toJsonLines());
    }
    expect(texts.size).to.equal(5);
  });

  it('finds nothing wrong with an honest reference', async function () {
    this.timeout(60_000);
    const problems: string[] = [];
    const onProblem = ({ seed, problem }: Simulation) => void problems.push(`seed ${seed}: ${problem}`);
    const { runs, steps } = await simulateBatch({ seed: 1000, runs: 150, onProblem });
    expect(problems).to.deep.equal([]);
    expect(runs).to.equal(150);
    expect(steps).to.be.greaterThan(2000);
  });

  it('finds planted faults', async function () {
    this.timeout(60_000);
    const faults = [
      // Of events, of replies, of what commands do, and of figures.
      ...['stop-lost', 'completed-twice', 'active-lost', 'setup-twice', 'passes-lost', 'cancelled-as-failed'],
      ...['replies-swapped', 'id-of-first-in-line', 'status-without-running', 'class-of-migrate-incoming'],
      ...['resume-accepted', 'cont-ignored', 'failed-load-survives'],
      ...['info-ram-when-cancelled', 'transferred-backwards', 'setup-time-missing'],
    ];
    for (const fault of faults) {
      let found: number | undefined;
      for (let seed = 1; seed <= 60 && found === undefined; seed++) {
        const { problem } = await simulate(seed, { faults: [fault] });
        if (problem !== undefined) found = seed;
      }
      expect(found, fault).not.to.equal(undefined);
    }
  });

  it('keeps what happened in a run that does not come to its end', async () => {
    const whole = await simulate(1);
    const { problem, transcript } = await simulate(1, { allowance: whole.moves - 5 });
    expect(problem).to.match(/^Endless: /);
    const { length } = transcript.entries;
    expect(length).to.be.greaterThan(10);
    expect(transcript.entries).to.deep.equal(whole.transcript.entries.slice(0, length));
  });

  it('does not depend on what ran before in the same process', async () => {
    // Memory of guests goes from run to run.
    const alone = (await simulate(26)).transcript.toJsonLines();
    for (let seed = 30; seed < 36; seed++) await simulate(seed);
    expect((await simulate(26)).transcript.toJsonLines()).to.equal(alone);
  });

  it('passes simulated hours in no time, and tells a deadlock from a long wait', async () => {
    const steps = [
      { do: 'start', at: 'source' },
      { do: 'connect', at: 'source' },
      { do: 'event', at: 'source', event: 'STOP', deadline: 3_600_000 },
    ] as const;
    const { transcript, judgement } = await simulate(1, { scenario: { scenario: 1, steps } });
    expect(transcript.entries.at(-1)?.time).to.be.greaterThan(3_600_000);
    expect(judgement.kind).to.equal('conforms');
  });
});
