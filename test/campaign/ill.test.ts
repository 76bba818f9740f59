/** What only shows itself outside the protocol: leaks, and monitors that stand still. */
import { expect } from 'chai';
import { Campaign } from '../../campaign/campaign.js';
import { Corpus } from '../../campaign/corpus.js';
import type { Finding } from '../../campaign/findings.js';
import { KnownFindings } from '../../campaign/known.js';
import { Lane, longestLife } from '../../campaign/lane.js';
import { type Footprint, LeakWatch } from '../../campaign/leak.js';
import { chooseSources } from '../../generators/sources.js';
import { referenceTarget } from '../../targets/executable.js';
import { learnFacts, type TargetFacts } from '../../targets/facts.js';
import type { Scenario } from '../../targets/scenario.js';
import type { Target } from '../../targets/target.js';
import { withFolder } from '../cli/process.js';
import { illTarget } from './ill.js';

async function factsOf(target: Target): Promise<TargetFacts> {
  const instance = await target.start();
  try {
    return await learnFacts(instance);
  } finally {
    await instance.dispose();
  }
}

/** Subjects of the symptoms that a process shows that serves the same scenario for the whole of its life. */
async function lifeOf(target: Target): Promise<string[]> {
  const scenario: Scenario = {
    scenario: 1,
    steps: [
      { do: 'start', at: 'source' },
      { do: 'connect', at: 'source' },
      { do: 'command', at: 'source', execute: 'query-migrate' },
      { do: 'disconnect', at: 'source' },
    ],
  };
  const lane = new Lane({ target, facts: await factsOf(target), strictDesc: false }, true);
  try {
    for (let n = 0; n < longestLife; n++) {
      const { symptoms } = await lane.run(scenario);
      if (symptoms.length > 0) return symptoms.map(({ kind, subject }) => `${kind}: ${subject}`);
    }
    return [];
  } finally {
    await lane.close();
    await target.close();
  }
}

describe('the leak watch', () => {
  const looks = (n: number, of: (i: number) => Partial<Footprint>) => {
    const watch = new LeakWatch();
    return Array.from({ length: n }, (_, i) => watch.take({ descriptors: 20, resident: 90_000, ...of(i) })).flat();
  };

  it('tells a growth that goes on, once', () => {
    expect(looks(80, (i) => ({ descriptors: 20 + i })).map(({ subject }) => subject)).to.deep.equal([
      'file descriptors are not given back',
    ]);
    expect(looks(80, (i) => ({ resident: 90_000 + i * 4096 })).map(({ subject }) => subject)).to.deep.equal([
      'KiB of memory are not given back',
    ]);
  });

  it('says nothing of what fills once, comes and goes, or is too little to tell', () => {
    expect(looks(40, (i) => ({ descriptors: Math.min(60, 20 + i * 8) }))).to.deep.equal([]);
    expect(looks(40, (i) => ({ resident: 90_000 + (i % 8) * 30_000 }))).to.deep.equal([]);
    expect(looks(40, (i) => ({ resident: 90_000 + i * 100 }))).to.deep.equal([]);
  });
});

describe('a sick monitor', function () {
  this.timeout(120_000);

  for (const [illness, subject] of [
    ['descriptors', 'leak: file descriptors are not given back'],
    ['memory', 'leak: KiB of memory are not given back'],
  ] as const) {
    it(`is told that it leaks ${illness}`, () =>
      withFolder(async (folder) => expect(await lifeOf(illTarget(illness, folder))).to.deep.equal([subject])));
  }

  it('is none that serves as long and gives all back', async () => {
    expect(await lifeOf(referenceTarget())).to.deep.equal([]);
  });

  it('is told that it stands still; the campaign goes on and leaves no process behind', () =>
    withFolder(async (folder) => {
      const sick = illTarget('wedged', folder, { deadline: 1500 });
      const facts = await factsOf(sick);
      const [pids, found]: [number[], Finding[]] = [[], []];
      const target: Target = {
        name: sick.name,
        description: sick.description,
        remark: undefined,
        lacks: (ability) => sick.lacks(ability),
        close: () => sick.close(),
        start: async (options) => {
          const instance = await sick.start(options);
          if (instance.pid !== undefined) pids.push(instance.pid);
          return instance;
        },
      };
      const campaign = new Campaign({
        target,
        facts,
        seed: 5,
        jobs: 2,
        runs: 4,
        sources: chooseSources(['values']),
        corpus: new Corpus(),
        known: new KnownFindings(),
        strictDesc: false,
        shrinkBudget: 1,
        reuse: true,
        files: () => [],
        sink: (event) => {
          if (event.event === 'finding') found.push(event.finding);
        },
        signal: new AbortController().signal,
      });
      const { cases, findings } = await campaign.run();
      await target.close();
      expect(cases).to.equal(4);
      expect(findings).to.be.greaterThan(0);
      const [hang] = found.filter(({ confirmed }) => confirmed);
      expect(hang?.file.title).to.match(/^hang: no reply to /);
      expect(pids.length).to.be.greaterThan(4);
      const living = pids.filter((pid) => {
        try {
          return process.kill(pid, 0);
        } catch {
          return false;
        }
      });
      expect(living).to.deep.equal([]);
    }));
});
