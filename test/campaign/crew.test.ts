import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Campaign } from '../../campaign/campaign.js';
import { type CaseRunner, runsHere } from '../../campaign/case-runner.js';
import { Corpus } from '../../campaign/corpus.js';
import { crewOf, WorkerLost } from '../../campaign/crew/crew.js';
import { KnownFindings } from '../../campaign/known.js';
import { Lane } from '../../campaign/lane.js';
import { Schedule } from '../../campaign/schedule.js';
import { chooseSources } from '../../generators/sources.js';
import { factsOf } from '../../targets/facts.js';
import { resolveTarget } from '../../targets/resolve.js';
import type { Scenario } from '../../targets/scenario.js';

const orders = { target: 'reference:7.2', strictDesc: false, reuse: true };

/** Processes of ours whose parent is this one and which run cases. */
function workers(): number[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').map(Number);
  return children.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('crew/worker');
    } catch {
      return false;
    }
  });
}

const idle: Scenario = {
  scenario: 1,
  steps: [
    { do: 'start', at: 'source' },
    { do: 'connect', at: 'source' },
    { do: 'command', at: 'source', execute: 'query-migrate' },
  ],
};

describe('the processes that run the cases of a campaign', function () {
  this.timeout(60_000);

  const open: CaseRunner[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.close()));
    expect(workers()).to.deep.equal([]);
  });
  const crew = (jobs: number): CaseRunner[] => {
    const runners = crewOf(orders, jobs);
    open.push(...runners);
    return runners;
  };

  it('tell what a lane in this process tells', async () => {
    const { target } = resolveTarget(orders.target);
    const facts = await factsOf(target);
    const schedule = new Schedule(3, chooseSources(['values', 'near-miss']), facts);
    const scenarios = Array.from({ length: 6 }, (_, index) => schedule.plan(index).scenario);
    const [there] = crew(1) as [CaseRunner];
    const here = runsHere(new Lane({ target, facts, strictDesc: false }, true));
    open.push(here);
    // How long each took is its own.
    const told = async (runner: CaseRunner, scenario: Scenario) => {
      const result = await runner.run(scenario);
      expect(result?.duration).to.be.above(0);
      return { ...result, duration: 0 };
    };
    for (const scenario of scenarios) expect(await told(there, scenario)).to.deep.equal(await told(here, scenario));
    await target.close();
  });

  it('stay where they are only lent to a campaign', async () => {
    const { target } = resolveTarget(orders.target);
    const facts = await factsOf(target);
    const lent = crew(1);
    const ran: string[] = [];
    const campaign = () =>
      new Campaign({
        target,
        facts,
        seed: 3,
        jobs: 1,
        runs: 2,
        sources: chooseSources(['values']),
        corpus: new Corpus(),
        known: new KnownFindings(),
        strictDesc: false,
        shrinkBudget: 1000,
        reuse: true,
        lent,
        files: () => [],
        sink: () => undefined,
        onCase: ({ source }) => ran.push(source.name),
        signal: new AbortController().signal,
      });
    expect((await campaign().run()).cases).to.equal(2);
    const before = workers();
    expect(before).to.have.length(1);
    expect((await campaign().run()).cases).to.equal(2);
    expect(workers()).to.deep.equal(before);
    expect(ran).to.deep.equal(['values', 'values', 'values', 'values']);
    await target.close();
  });

  it('are replaced when one dies, and the case that it had is told as lost', async () => {
    const [runner] = crew(1) as [CaseRunner];
    expect((await runner.run(idle))?.symptoms).to.deep.equal([]);
    const [pid] = workers() as [number];
    process.kill(pid, 'SIGSTOP');
    const lost = runner.run(idle).then(
      () => undefined,
      (error: unknown) => error,
    );
    process.kill(pid, 'SIGKILL');
    expect(await lost).to.be.instanceOf(WorkerLost);
    expect((await runner.run(idle))?.commands).to.be.greaterThan(0);
  });

  it('begin nothing after they were told to stop', async () => {
    const [runner] = crew(1) as [CaseRunner];
    const first = runner.run(idle);
    const queued = runner.run(idle);
    await first;
    runner.stop();
    await queued;
    expect(await runner.run(idle)).to.equal(undefined);
  });

  it('say why the target cannot be started', async () => {
    const [runner] = crewOf({ ...orders, target: 'qemu:/bin/false' }, 1) as [CaseRunner];
    open.push(runner);
    const error = await runner.run(idle).catch((one: Error) => one);
    expect((error as Error).name).to.equal('TargetError');
  });
});
