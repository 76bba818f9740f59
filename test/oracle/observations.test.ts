/** What several trials look at together: made once, judged by each, and looked at again alone when something is wrong. */
import { expect } from 'chai';
import { Observations } from '../../oracle/observations.js';
import type { Trial } from '../../oracle/trial.js';
import { inOrder, laboratory, ok } from './scripted-target.js';

describe('an observation', () => {
  let lab: ReturnType<typeof laboratory>;
  let shared: Observations;
  let made = 0;
  const trial = (more = {}) => lab.trial({ shared, ...more });
  beforeEach(() => {
    lab = laboratory();
    shared = new Observations();
    made = 0;
  });
  afterEach(() => lab.close());

  const look = async (t: Trial) => {
    const session = await t.session({ to: await t.start() });
    t.succeeded(await session.command('look'), 'look');
    return ++made;
  };
  it('is made once for all who ask for it, and its entries and checks are theirs', async () => {
    const [a, b] = [trial(), trial()];
    expect(await Promise.all([a.observed('k', look), b.observed('k', look)])).to.deep.equal([1, 1]);
    for (const one of [a, b]) {
      expect(one.transcript.entries.some(({ kind, text }) => kind === 'sent' && text.includes('"look"'))).to.equal(
        true,
      );
      expect(one.checks).to.equal(one.accepted.length);
      expect(one.accepted.some(({ step }) => step === 'look')).to.equal(true);
      // Whoever finds a fault in it is asked again.
      expect(one.reused).to.equal(true);
      await one.finish(true);
    }
    expect(lab.target.instances).to.have.length(1);
  });

  it('is another one under another key, for who wants nothing that was seen before, and where nothing is shared', async () => {
    expect(await trial().observed('k', look)).to.equal(1);
    expect(await trial().observed('other', look)).to.equal(2);
    const [fresh, alone] = [trial({ fresh: true }), trial({ shared: undefined })];
    expect(await fresh.observed('k', look)).to.equal(3);
    expect(await alone.observed('k', look)).to.equal(4);
    expect([fresh.reused, alone.reused]).to.deep.equal([false, false]);
    for (const one of [fresh, alone]) await one.finish(true);
  });

  it('is made by each alone when something was wrong in it', async () => {
    const [a, b] = [trial(), trial()];
    let made = 0;
    const fails = async (t: Trial) => t.check(made++ > 0, 'a second try', 'the first');
    // The one that was made for both fails; those of their own do not.
    await Promise.all([a.observed('k', fails), b.observed('k', fails)]);
    expect(made).to.equal(3);
    expect(a.checks).to.equal(1);
  });

  it('is made by each alone when a message in it is one that no conversation has', async () => {
    let asked = 0;
    const odd = laboratory((command) =>
      command.execute === 'look' && asked++ === 0
        ? ok({ ...command, id: undefined })
        : inOrder(command, lab.target.instances[0] as never),
    );
    const one = new Observations();
    const trials = [odd.trial({ shared: one }), odd.trial({ shared: one })];
    for (const each of trials) expect(await each.observed('k', look)).to.be.above(1);
    expect(made).to.equal(3);
    for (const each of trials) await each.finish(true);
    await odd.close();
  });

  it('may be less when it is made alone', async () => {
    const alone = async () => 'alone';
    const together = async () => 'together';
    expect(await trial().observed('k', together, alone)).to.equal('together');
    expect(await trial({ fresh: true }).observed('k', together, alone)).to.equal('alone');
  });

  it('is forgotten after many others', async () => {
    await trial().observed('k', look);
    for (let i = 0; i < 64; i++) await trial().observed(`other ${i}`, look);
    expect(await trial().observed('k', look)).to.equal(66);
  });
});
