import { expect } from 'chai';
import { Divergence } from '../../oracle/divergence.js';
import { anInteger, event, failure, success } from '../../oracle/patterns.js';
import type { Trial } from '../../oracle/trial.js';
import type { DivergenceReport } from '../../oracle/verdict.js';
import type { Received } from '../../protocol/message.js';
import { type Answer, laboratory, ok, refuse } from './scripted-target.js';

type Laboratory = ReturnType<typeof laboratory>;
const open: Laboratory[] = [];
const laboratoryFor = (...args: Parameters<typeof laboratory>): Laboratory => {
  const made = laboratory(...args);
  open.push(made);
  return made;
};
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

/** The report of a check that must not hold. */
const divergence = (check: () => unknown): DivergenceReport => {
  try {
    check();
  } catch (error) {
    expect(error).to.be.instanceOf(Divergence);
    expect((error as Error).message).to.contain((error as Divergence).report.expected.join(', or '));
    return (error as Divergence).report;
  }
  return expect.fail('the check held');
};

const talk: Answer = (asked) => {
  const stop =
    '{"event": "STOP", "timestamp": {}}\r\n{"event": "MIGRATION", "data": {"status": "setup"}, "timestamp": {}}';
  if (asked.execute === 'stop') return `${stop}\r\n${ok(asked)}`;
  return asked.execute === 'bad' ? refuse(asked, 'GenericError', 'this is so') : ok(asked, { a: 1, n: 5 });
};

describe('checks of a trial', () => {
  let trial: Trial;
  let good: Received;
  let bad: Received;
  let stopped: Received[];
  const prepare = async (strictDesc: boolean) => {
    trial = laboratoryFor(talk, { strictDesc }).trial();
    const session = await trial.session();
    good = await session.command('good');
    bad = await session.command('bad');
    const mark = session.mark();
    await session.command('stop');
    stopped = session.since(mark);
    trial.checks = 0;
  };
  beforeEach(() => prepare(false));
  afterEach(() => trial.finish(false));

  /** Each check, in a way that holds and in one that does not. */
  const checks: Record<string, [() => unknown, () => unknown]> = {
    check: [() => trial.check(true, 'x', 'y'), () => trial.check(false, 'x', 'y')],
    matches: [() => trial.matches(good, success(), failure('X')), () => trial.matches(good, success({}), failure('X'))],
    'matches (nothing)': [() => trial.matches(bad, failure('GenericError')), () => trial.matches(undefined, success())],
    succeeded: [() => trial.succeeded(good), () => trial.succeeded(bad)],
    failed: [() => trial.failed(bad, 'GenericError', 'other'), () => trial.failed(bad, 'CommandNotFound')],
    'failed (a success)': [() => trial.failed(bad, 'GenericError'), () => trial.failed(good, 'GenericError')],
    equal: [() => trial.equal(5, 5, 's'), () => trial.equal(5, 6, 's')],
    'equal (a rule)': [() => trial.equal(5, anInteger, 's'), () => trial.equal(5.5, anInteger, 's')],
    'equal (absent)': [() => trial.equal(null, null, 's'), () => trial.equal(undefined, null, 's')],
    'members (missing)': [
      () => trial.members({ a: 1 }, ['a'], ['b'], 's'),
      () => trial.members({ b: 1 }, ['a'], ['b'], 's'),
    ],
    'members (extra)': [
      () => trial.members({ a: 1, b: 1 }, ['a'], ['b'], 's'),
      () => trial.members({ a: 1, c: 1 }, ['a'], ['b'], 's'),
    ],
    'returned (extra)': [
      () => trial.returned('query-migrate', { a: 1, b: 1 }, ['a'], ['b']),
      () => trial.returned('query-migrate', { a: 1, c: 1 }, ['a'], ['b']),
    ],
    'members (no object)': [() => trial.members({}, [], [], 's'), () => trial.members([], [], [], 's')],
    silent: [() => trial.silent([], 's'), () => trial.silent([good], 's')],
    same: [() => trial.same({ a: 1, b: 2 }, { b: 2, a: 1 }, 's'), () => trial.same({ a: 1 }, { a: 2 }, 's')],
    'same (both absent)': [() => trial.same(null, null, 's'), () => trial.same(undefined, undefined, 's')],
    sequence: [
      () => trial.sequence([good, bad], [success(), failure('GenericError')]),
      () => trial.sequence([good, bad], [success()]),
    ],
    'sequence (order)': [
      () => trial.sequence([], []),
      () => trial.sequence([good, bad], [failure('GenericError'), success()]),
    ],
    'sequence (too few)': [
      () => trial.sequence([good], [], [success()]),
      () => trial.sequence([good], [success(), success()]),
    ],
  };
  for (const [name, [holds, fails]] of Object.entries(checks)) {
    it(`${name}: can hold, can fail, and is counted either way`, () => {
      holds();
      expect(trial.checks).to.equal(1);
      const report = divergence(fails);
      expect(trial.checks).to.equal(2);
      expect(report.expected).not.to.have.length(0);
    });
  }

  it('compare error texts in strict mode only', async () => {
    trial.failed(bad, 'GenericError', ['other', 'texts']);
    await trial.finish(false);
    await prepare(true);
    trial.failed(bad, 'GenericError', ['other', 'this is so']);
    trial.failed(bad, 'GenericError', /^this/);
    trial.failed(bad, 'GenericError');
    expect(divergence(() => trial.failed(bad, 'GenericError', ['other', /x/.source])).expected).to.deep.equal([
      'desc "other"',
      'desc "x"',
    ]);
    expect(divergence(() => trial.matches(bad, failure('GenericError', 'other'))).got).to.contain('this is so');
  });

  it('list every permitted outcome and what came', () => {
    const report = divergence(() => trial.matches(bad, success({}), event('STOP'), failure('CommandNotFound')));
    expect(report.expected).to.deep.equal(['success with {}', 'event STOP', 'CommandNotFound']);
    expect(report.got).to.equal(bad.text);
    const sequences = divergence(() => trial.sequence(stopped, [success()], [], [event('STOP'), success()]));
    expect(sequences.expected).to.deep.equal(['success', 'nothing', 'event STOP, then success']);
    expect(sequences.got).to.equal(stopped.map(({ text }) => text).join(' · '));
    expect(divergence(() => trial.members({ z: 1 }, ['a'], ['b'], 'the reply'))).to.deep.include({
      expected: ['the members a and perhaps b'],
      got: 'z',
      step: 'the reply',
    });
    expect(divergence(() => trial.matches(undefined, success())).got).to.equal('nothing');
  });

  it('point at the transcript entry of the message that does not fit', () => {
    const pointed = (check: () => unknown) => trial.transcript.entries[divergence(check).entry as number]?.text;
    expect(pointed(() => trial.succeeded(bad))).to.equal(bad.text);
    expect(pointed(() => trial.matches(good, failure('X')))).to.equal(good.text);
    expect(pointed(() => trial.silent(stopped, 's'))).to.equal(stopped[0]?.text);
    const setup = stopped[1]?.text;
    expect(pointed(() => trial.sequence(stopped, [event('STOP'), success()], [success()]))).to.equal(setup);
    expect(pointed(() => trial.sequence(stopped, [event('STOP'), event('X'), success()]))).to.equal(setup);
    expect(pointed(() => trial.sequence(stopped, [event('STOP'), event('MIGRATION')]))).to.equal(stopped[2]?.text);
    expect(pointed(() => trial.sequence(stopped.slice(0, 1), [event('STOP'), success()]))).to.equal(stopped[0]?.text);
  });

  it('tell two equal messages of two connections apart', async () => {
    const { entry, text } = stopped[0] as Received;
    trial.transcript.add('other', 'received', text, { time: stopped[0]?.time ?? 0 });
    expect(divergence(() => trial.silent(stopped, 's')).entry).to.equal(entry);
  });

  it('name events in order, migration events with their data', () => {
    expect(trial.eventNames(stopped)).to.deep.equal(['STOP', 'MIGRATION(setup)']);
  });
});

const parameters = { 'max-bandwidth': 1, 'downtime-limit': 2 };
const capabilities = [{ capability: 'events', state: false }];

describe('the instance of a trial', () => {
  const lab = (answer: Answer, withSettings = true) =>
    laboratoryFor(answer, { facts: withSettings ? { settings: { parameters, capabilities } } : {} });
  /** A monitor with settings, whose parameters can be stuck. */
  const withState = (stuck = false) => {
    const now: Record<string, unknown> = { ...parameters };
    let caps: unknown = capabilities;
    let running = true;
    const heard: string[] = [];
    const answer: Answer = (asked) => {
      heard.push(asked.execute ?? '');
      if (asked.execute === 'query-migrate-parameters') return ok(asked, now);
      if (asked.execute === 'query-migrate-capabilities') return ok(asked, caps);
      if (asked.execute === 'query-status') return ok(asked, { status: running ? 'running' : 'paused', running });
      if (asked.execute === 'stop' || asked.execute === 'cont') running = asked.execute === 'cont';
      if (asked.execute === 'migrate-set-parameters' && stuck) return refuse(asked, 'GenericError', 'no');
      if (asked.execute === 'migrate-set-parameters') Object.assign(now, asked.arguments);
      if (asked.execute === 'migrate-set-capabilities')
        ({ capabilities: caps } = asked.arguments as { capabilities: unknown });
      return ok(asked);
    };
    return { answer, now, heard };
  };
  const serve = async (laboratory: Laboratory, ...commands: [string, unknown?][]): Promise<boolean> => {
    const trial = laboratory.trial();
    const session = await trial.session();
    for (const [name, args] of commands) await session.command(name, args);
    const [instance] = trial.instances;
    await trial.finish(true);
    const next = laboratory.trial();
    const again = (await next.instance()) === instance;
    await next.finish(true);
    return again;
  };

  it('is the same at each call, and of its own when started', async () => {
    const laboratory = laboratoryFor();
    const trial = laboratory.trial();
    expect(await trial.instance()).to.equal(await trial.instance());
    const own = await trial.start({ paused: true }, 'destination');
    expect(own).not.to.equal(await trial.instance());
    expect(trial.instances).to.have.length(2);
    await trial.session({ to: own });
    expect(new Set(trial.transcript.entries.map(({ at }) => at))).to.deep.equal(new Set(['destination']));
    await trial.finish(true);
    expect(laboratory.target.instances.map(({ disposed }) => disposed)).to.deep.equal([false, false]);
    const next = laboratory.trial();
    expect(await next.start({ paused: true })).to.equal(own);
    expect(next.reused).to.equal(false);
    await next.finish(true);
  });

  it('may be one that has migrated before where that does not matter', async () => {
    const { pool, ...laboratory } = laboratoryFor();
    const instance = await pool.acquire();
    await pool.release(instance, 'migrated');
    const trial = laboratory.trial();
    expect(await trial.instance()).not.to.equal(instance);
    expect(trial.reused).to.equal(false);
    expect(await trial.startForMigration()).to.equal(instance);
    expect(trial.reused).to.equal(true);
    await trial.finish(true);
    expect(pool.conditionOf(instance)).to.equal('migrated');
  });

  it('is nothing that has served before when it must be fresh, or was started with arguments of its own', async () => {
    const laboratory = laboratoryFor();
    const first = laboratory.trial();
    const instances = [await first.instance(), await first.start({ extra: ['-S'] })];
    await first.finish(true);
    expect(laboratory.target.instances.map(({ disposed }) => disposed)).to.deep.equal([false, true]);
    const fresh = laboratory.trial({ fresh: true });
    expect(instances).not.to.include(await fresh.instance());
    expect(fresh.reused).to.equal(false);
    await fresh.finish(true);
  });

  it('serves again after queries', async () => {
    expect(await serve(lab(withState().answer), ['query-status'], ['query-migrate'])).to.equal(true);
  });

  it('does not serve again once the trial has said so', async () => {
    const laboratory = lab(withState().answer);
    const trial = laboratory.trial();
    const instance = await trial.instance();
    trial.spoils(instance);
    await trial.finish(true);
    expect(await laboratory.trial().instance()).not.to.equal(instance);
  });

  it('is brought to rest before it is looked at, unseen, where the trial held', async () => {
    const state = withState();
    const laboratory = lab(state.answer);
    const trial = laboratory.trial();
    const [session, instance] = [await trial.session(), await trial.instance()];
    await session.command('stop');
    trial.atRest(instance, async () => (await session.command('cont')).kind === 'success');
    const before = trial.transcript.entries.length;
    await trial.finish(true);
    expect(state.heard.slice(state.heard.indexOf('stop'))).to.include.members(['cont', 'query-status']);
    expect(trial.transcript.entries.slice(before).map(({ text }) => text)).not.to.include('cont');
    const next = laboratory.trial();
    expect(await next.instance()).to.equal(instance);
    let asked = false;
    next.atRest(instance, async () => {
      asked = true;
      return true;
    });
    await next.finish(false);
    expect(asked).to.equal(false);
  });

  for (const [name, work] of Object.entries<() => Promise<boolean>>({
    'does not come to rest': () => Promise.resolve(false),
    'fails on the way': () => Promise.reject(new Error('gone')),
  })) {
    it(`does not serve again when it ${name}`, async () => {
      const laboratory = lab(withState().answer);
      const trial = laboratory.trial();
      const instance = await trial.instance();
      trial.atRest(instance, work);
      await trial.finish(true);
      expect(await laboratory.trial().instance()).not.to.equal(instance);
    });
  }

  it('serves again after its settings were put back', async () => {
    const state = withState();
    const again = await serve(
      lab(state.answer),
      ['migrate-set-parameters', { 'max-bandwidth': 77 }],
      ['migrate-set-capabilities', { capabilities: [{ capability: 'events', state: true }] }],
    );
    expect(again).to.equal(true);
    expect(state.now).to.deep.equal(parameters);
  });

  it('serves again after its guest was stopped, which runs again then', async () => {
    const state = withState();
    expect(await serve(lab(state.answer), ['stop'])).to.equal(true);
    expect(state.heard).to.include('cont');
  });

  it('does not serve again when its settings cannot be put back, or are not known', async () => {
    const set: [string, unknown] = ['migrate-set-parameters', { 'max-bandwidth': 77 }];
    const state = withState(true);
    state.now['max-bandwidth'] = 5;
    expect(await serve(lab(state.answer), set)).to.equal(false);
    expect(await serve(lab(withState().answer, false), set)).to.equal(false);
  });

  for (const command of ['migrate', 'human-monitor-command', 'getfd', 'no-such-command']) {
    it(`does not serve again after ${command}`, async () => {
      expect(await serve(lab(withState().answer), [command])).to.equal(false);
    });
  }

  const hidden: [string, (send: (bytes: string) => Promise<void>) => Promise<void>][] = [
    ['in escapes', (send) => send('{"\\u0065xecute":"stop"}\n')],
    ['in single quotes', (send) => send("{'execute':'stop'}\n")],
    ['with white space', (send) => send('{"execute"\t:\r "stop"}\n')],
    [
      'in pieces',
      async (send) => {
        await send('{"exec');
        await send('ute":"st');
        await send('op"}\n');
      },
    ],
  ];
  for (const [name, act] of hidden) {
    it(`does not serve again after a command hidden ${name}`, async () => {
      const laboratory = lab((asked) => ok(asked));
      const trial = laboratory.trial();
      const session = await trial.connect();
      // Not to be parsed by our monitor, which reads lines of JSON only.
      await act(async (bytes) => void trial.transcript.add(session.endpoint, 'sent', bytes));
      await trial.finish(true);
      expect(laboratory.target.instances[0]?.disposed).to.equal(true);
    });
  }

  it('does not serve again when the trial was not healthy', async () => {
    const laboratory = lab(withState().answer);
    const trial = laboratory.trial();
    await trial.session();
    await trial.finish(false);
    expect(laboratory.target.instances[0]?.disposed).to.equal(true);
  });

  it('is put back as far as can be when it cannot be replaced', async () => {
    const state = withState();
    const laboratory = lab(state.answer);
    laboratory.target.missing = { start: 'it runs already' };
    expect(await serve(laboratory, ['stop'], ['migrate-set-parameters', { 'max-bandwidth': 77 }])).to.equal(true);
    expect(state.now).to.deep.equal(parameters);
    expect(state.heard).to.include('cont');
  });
});
