import { expect } from 'chai';
import { Campaign } from '../../campaign/campaign.js';
import type { CaseRunner } from '../../campaign/case-runner.js';
import { Corpus } from '../../campaign/corpus.js';
import { KnownFindings } from '../../campaign/known.js';
import { chooseSources } from '../../generators/sources.js';
import { TargetError } from '../../targets/target.js';
import { baselineFacts, ScriptedTarget } from '../oracle/scripted-target.js';

const jobs = 6;

describe('a target that cannot be started', () => {
  /** A campaign whose cases fail so often before they run. */
  const campaign = async (failures: number) => {
    let left = failures;
    const notes: string[] = [];
    const runner: CaseRunner = {
      depth: 1,
      run: async () => {
        if (left-- > 0) throw new TargetError('it is being built');
        return { keys: [], commands: 1, duration: 1, symptoms: [] };
      },
      stop: () => undefined,
      close: async () => undefined,
    };
    const outcome = await new Campaign({
      target: new ScriptedTarget(),
      facts: baselineFacts,
      seed: 1,
      jobs,
      runs: 20,
      sources: chooseSources(['values']),
      corpus: new Corpus(),
      known: new KnownFindings(),
      strictDesc: false,
      shrinkBudget: 1,
      reuse: false,
      lent: Array.from({ length: jobs }, () => runner),
      files: () => [],
      sink: (event) => {
        if (event.event === 'note') notes.push(event.text);
      },
      signal: new AbortController().signal,
    })
      .run()
      .catch((error: Error) => error);
    return { outcome, notes };
  };

  it('for a moment has failed once, however many cases were about to begin', async () => {
    const { outcome, notes } = await campaign(jobs);
    expect(outcome).to.have.property('cases', 20);
    expect(notes).to.deep.equal(['it is being built; trying again in 100 ms']);
  });

  it('at all ends the campaign, after some tries', async () => {
    const { outcome, notes } = await campaign(Number.POSITIVE_INFINITY);
    expect(outcome).to.be.instanceOf(TargetError);
    expect(notes.map((note) => /in (\d+) ms/.exec(note)?.[1])).to.deep.equal(['100', '500', '2000', '5000']);
  });
});
