import { expect } from 'chai';
import { exitCodes } from '../../../oracle/exit-codes.js';
import type { Trial } from '../../../oracle/trial.js';
import type { Expectation } from '../../../suites/expectations/file.js';
import type { Chapter, Requirement } from '../../../suites/requirement.js';
import type { RunOptions } from '../../../suites/run.js';
import { order, select } from '../../../suites/schedule.js';
import { inOrder, ok, refuse, ScriptedTarget } from '../../oracle/scripted-target.js';
import { broken, chapter, empty, fails, holds, needing, run } from './scripted-run.js';

const expecting = (...entries: readonly Expectation[]): Partial<RunOptions> => ({
  expected: { file: { file: 'known.json', entries, lines: entries.map(() => 1) }, known: ['A', 'B', 'C'] },
});

describe('a run with expectations', () => {
  const known = { id: 'B', kind: 'known-failing', reason: 'r' } as const;
  const of = (b: Requirement['run']) => chapter().must('A', 'a', holds).must('B', 'b', b).done();

  it('is green when what is known to fail does', async () => {
    const { footer, outcomes } = await run(of(fails), expecting(known));
    expect(footer.exitCode).to.equal(exitCodes.conforms);
    expect(outcomes[1]).to.have.nested.property('expectation.state', 'met');
  });

  it('is not green when it was fixed, fails in another way, has expired, or speaks of nothing', async () => {
    const code = async (b: Requirement['run'], ...entries: readonly Expectation[]) =>
      (await run(of(b), expecting(...entries))).footer.exitCode;
    expect(await code(holds, known)).to.equal(exitCodes.expectations);
    expect(await code(fails, { ...known, signature: 'crash*' })).to.equal(exitCodes.divergences);
    expect(await code(fails, { ...known, expires: '2020-01-01' })).to.equal(exitCodes.divergences);
    expect(await code(holds, { ...known, id: 'Z' })).to.equal(exitCodes.expectations);
    // It is there, but was not selected: nothing is said against the entry.
    expect(await code(holds, { ...known, id: 'C' })).to.equal(exitCodes.conforms);
  });

  it('begins nothing more after the first failure, when asked', async () => {
    const three = chapter().must('A', 'a', fails).must('B', 'b', holds).must('C', 'c', holds).done();
    const { footer, events } = await run(three, { failFast: true, jobs: 1 });
    expect(footer).to.deep.include({ exitCode: exitCodes.divergences, counts: { divergence: 1, inconclusive: 2 } });
    expect(events.filter(({ event }) => event === 'started')).to.have.length(1);
    const { footer: all } = await run(three, { failFast: true, jobs: 1, ...expecting({ ...known, id: 'A' }) });
    expect(all.counts).to.deep.equal({ divergence: 1, conforms: 2 });
  });

  it('fails nothing for what an instance was used for before', async () => {
    // The monitor minds a second migration, and tells what came of the first.
    const counts = new Map<unknown, number>();
    const target = new ScriptedTarget((asked, instance) => {
      const migrated = counts.get(instance) ?? 0;
      if (asked.execute === 'migrate') counts.set(instance, migrated + 1);
      const settings = { 'query-migrate-parameters': { 'max-bandwidth': 5 }, 'query-migrate-capabilities': [] };
      const states = {
        'query-migrate': migrated === 0 ? {} : { status: 'cancelled' },
        'query-status': { status: 'running' },
        'query-name': migrated > 1 ? { name: 'other' } : {},
        ...settings,
      };
      const known = Object.entries(states).find(([name]) => name === asked.execute);
      return known === undefined ? inOrder(asked, instance) : ok(asked, known[1]);
    });
    const migrates = async (t: Trial) => {
      const session = await t.session({ to: await t.startForMigration() });
      await session.command('migrate');
      const name = await session.command('query-name');
      t.check(name.text.includes('{}'), 'nothing', name);
    };
    const two = chapter().must('A', 'a', migrates).must('B', 'b', migrates).done();
    const { footer, events } = await run(two, { jobs: 1 }, target);
    expect(footer.counts).to.deep.equal({ conforms: 2 });
    expect(events.filter(({ event }) => event === 'note').map((event) => JSON.stringify(event))).to.satisfy(
      ([note = '', ...others]: string[]) =>
        others.length === 0 &&
        note.includes('B holds on a fresh instance of its own, and not on one that had served before'),
    );
  });

  it('fails only what is unlike the model again', async () => {
    for (const [times, counts] of [
      [1, { conforms: 1 }],
      [9, { divergence: 1 }],
    ] as const) {
      let left: number = times;
      const target = new ScriptedTarget((asked, instance) => {
        const told = (status: string) =>
          JSON.stringify({ event: 'MIGRATION', timestamp: { seconds: 1, microseconds: 0 }, data: { status } });
        if (asked.execute !== 'migrate') return inOrder(asked, instance);
        return `${told(left-- > 0 ? 'completed' : 'setup')}\r\n${ok(asked)}`;
      });
      const migrates = async (t: Trial) => {
        const session = await t.session();
        const capabilities = [{ capability: 'events', state: true }];
        await session.command('migrate-set-capabilities', { capabilities });
        t.succeeded(await session.command('migrate', { uri: 'unix:/run/x' }));
      };
      const { footer, events } = await run(chapter().must('A', 'a', migrates).done(), { jobs: 1 }, target);
      expect(footer.counts).to.deep.equal(counts);
      const notes = events.filter(({ event }) => event === 'note').map((event) => JSON.stringify(event));
      expect(notes.join()).to.match(
        times === 1 ? /A was once unlike the model, and not again: expected .*setup/ : /^$/,
      );
    }
  });

  it('gives the same verdicts in every order', async () => {
    const many = chapter();
    for (let i = 0; i < 12; i++) many.must(`M-${i}`, 'm', i % 3 === 0 ? fails : holds);
    const planned = select([many.done()], []);
    const verdicts = async (seed: number) => {
      const { outcomes } = await run(chapter().done(), { planned: order(planned, seed), seed });
      return outcomes.map(({ id, verdict }) => `${id} ${verdict.kind}`);
    };
    const straight = await verdicts(0);
    for (const seed of [1, 2, 3]) {
      const shuffled = await verdicts(seed);
      expect(shuffled).not.to.deep.equal(straight);
      expect(shuffled.sort()).to.deep.equal([...straight].sort());
    }
  });
});

describe('a run', () => {
  it('reports header, beginnings and footer, and mocha sees every verdict', async () => {
    const { footer, events, tests } = await run(
      chapter()
        .must('A', 'a', holds)
        .must('B', 'b', fails)
        .must('C', 'c', holds, needing({ commands: ['no-such'] }))
        .done(),
    );
    expect(events[0]).to.deep.include({
      event: 'header',
      target: 'scripted',
      planned: 3,
      jobs: 2,
      reproduce: 'run all',
    });
    expect(events.at(-1)).to.equal(footer);
    expect(events.filter(({ event }) => event === 'started')).to.have.length(2);
    expect(tests).to.deep.equal([
      ['A', 'conforms', 'passed'],
      ['B', 'divergence', 'failed'],
      ['C', 'not-applicable', 'pending'],
    ]);
    expect(footer).to.deep.include({ planned: 3, ran: 3, exitCode: exitCodes.divergences });
    expect(footer.counts).to.deep.equal({ conforms: 1, divergence: 1, 'not-applicable': 1 });
  });

  const codes: [string, Chapter, Partial<RunOptions>, keyof typeof exitCodes][] = [
    ['everything conforms', chapter().must('A', 'a', holds).done(), {}, 'conforms'],
    ['a MUST fails', chapter().must('A', 'a', holds).must('B', 'b', fails).done(), {}, 'divergences'],
    ['only a SHOULD fails', chapter().must('A', 'a', holds).should('B', 'b', fails).done(), {}, 'conforms'],
    [
      'only a SHOULD fails, strictly',
      chapter().must('A', 'a', holds).should('B', 'b', fails).done(),
      { strict: true },
      'divergences',
    ],
    [
      'only an INFO fails, strictly',
      chapter().must('A', 'a', holds).info('B', 'b', fails).done(),
      { strict: true },
      'conforms',
    ],
    ['a requirement checks nothing', chapter().must('A', 'a', empty).must('B', 'b', holds).done(), {}, 'vacuous'],
    ['a requirement is broken', chapter().must('A', 'a', broken).must('B', 'b', holds).done(), {}, 'inconclusive'],
    [
      'a failure hides nothing',
      chapter().must('A', 'a', broken).must('B', 'b', fails).must('C', 'c', empty).done(),
      {},
      'divergences',
    ],
    [
      'something does not apply',
      chapter()
        .must('A', 'a', holds)
        .must('B', 'b', holds, needing({ commands: ['x'] }))
        .done(),
      {},
      'conforms',
    ],
    [
      'something does not apply, strictly',
      chapter()
        .must('A', 'a', holds)
        .must('B', 'b', holds, needing({ commands: ['x'] }))
        .done(),
      { strict: true },
      'divergences',
    ],
    [
      'nothing applies',
      chapter()
        .must('A', 'a', fails, needing({ commands: ['x'] }))
        .done(),
      {},
      'nothingSelected',
    ],
    ['nothing is selected', chapter().done(), {}, 'nothingSelected'],
    ['it was interrupted', chapter().must('A', 'a', holds).done(), { signal: AbortSignal.abort() }, 'interrupted'],
    [
      'whether it applies cannot be told',
      chapter()
        .must('A', 'a', holds, needing({ unless: () => JSON.parse('{') }))
        .must('B', 'b', holds)
        .done(),
      {},
      'inconclusive',
    ],
  ];
  for (const [name, one, more, code] of codes) {
    it(`ends with ${exitCodes[code]} when ${name}`, async () => {
      const { footer } = await run(one, more);
      expect(footer.exitCode).to.equal(exitCodes[code]);
      expect(footer.ran).to.equal(footer.planned);
    });
  }

  it('that is interrupted reports what has not begun as inconclusive', async () => {
    const controller = new AbortController();
    const stop = async (t: Trial) => {
      controller.abort();
      await holds(t);
    };
    const { footer, tests } = await run(chapter().must('A', 'a', stop).must('B', 'b', holds).done(), {
      signal: controller.signal,
      jobs: 1,
    });
    expect(tests.map(([, verdict]) => verdict)).to.deep.equal(['conforms', 'inconclusive']);
    expect(footer.exitCode).to.equal(exitCodes.interrupted);
  });

  it('whose target cannot be started any more reports the rest as not run', async () => {
    const target = new ScriptedTarget();
    const breaks = async (t: Trial) => {
      target.broken = true;
      await t.start({ paused: true });
    };
    const { footer, tests } = await run(
      chapter().must('A', 'a', holds).must('B', 'b', breaks).must('C', 'c', holds).done(),
      { jobs: 1 },
      target,
    );
    expect(tests.map(([, verdict]) => verdict)).to.deep.equal(['conforms', 'inconclusive', 'inconclusive']);
    expect(footer).to.deep.include({ aborted: 'it does not start', exitCode: exitCodes.target });
  });

  it('that leaves its target broken does not end green', async () => {
    let wedged = false;
    const target = new ScriptedTarget((asked, instance) => (wedged ? undefined : inOrder(asked, instance)));
    target.missing = { start: 'it runs already' };
    const { footer } = await run(
      chapter()
        .must('A', 'a', async (t) => {
          wedged = true;
          t.check(true, 'x', 'x');
        })
        .done(),
      {},
      target,
    );
    expect(footer.aborted).to.match(/^after the run: no reply to/);
    expect(footer.exitCode).to.equal(exitCodes.target);
  });

  it('of what does not answer is refused before it begins', async () => {
    const target = new ScriptedTarget((asked) => refuse(asked));
    const error = await run(chapter().must('A', 'a', holds).done(), {}, target).catch((error: Error) => error);
    expect(error).to.have.property('name', 'TargetError');
    expect((error as Error).message).to.match(
      /^scripted does not answer as a QMP monitor: query-version was answered with/,
    );
    expect(target.instances.every(({ disposed }) => disposed)).to.equal(true);
  });

  it('of what answers wrong is refused with what it said', async () => {
    const target = new ScriptedTarget((asked, instance) =>
      asked.execute === 'query-version' ? 'what?' : inOrder(asked, instance),
    );
    const error = await run(chapter().must('A', 'a', holds).done(), {}, target).catch((error: Error) => error);
    expect((error as Error).message).to.match(/no reply to query-version .*; its last words were "what\?"$/);
  });

  it('goes on with another instance where only the first one ends, and says so', async () => {
    const target = new ScriptedTarget((asked, instance) => {
      if (instance !== target.instances[0]) return inOrder(asked, instance);
      instance.die({ code: null, signal: 'SIGSEGV' });
      return undefined;
    });
    const { footer, events } = await run(chapter().must('A', 'a', holds).done(), {}, target);
    expect(footer.exitCode).to.equal(exitCodes.conforms);
    expect(events.filter(({ event }) => event === 'header' || event === 'note')).to.containSubset([
      { event: 'header' },
      {
        event: 'note',
        text: 'at the first look scripted does not answer as a QMP monitor: killed by SIGSEGV; another instance does',
      },
    ]);
  });

  it('of what runs already serves one requirement at a time', async () => {
    const target = new ScriptedTarget();
    target.missing = { start: 'it runs already' };
    let running = 0;
    let most = 0;
    const alone = async (t: Trial) => {
      most = Math.max(most, ++running);
      t.succeeded(await (await t.session()).command('query-name'));
      running--;
    };
    const { footer } = await run(
      chapter().must('A', 'a', alone).must('B', 'b', alone).must('C', 'c', alone).done(),
      { jobs: 3 },
      target,
    );
    expect(footer.exitCode).to.equal(0);
    expect([most, target.instances.length]).to.deep.equal([1, 1]);
  });

  it('gives each failure the command that repeats it', async () => {
    const reproduced: string[] = [];
    await run(chapter().must('A', 'a', fails).must('B', 'b', holds).done(), {
      reproduce: (id) => {
        if (id !== undefined) reproduced.push(id);
        return `run ${id}`;
      },
    });
    expect(reproduced).to.include('A');
  });
});
