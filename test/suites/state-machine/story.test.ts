import { expect } from 'chai';
import { Divergence } from '../../../oracle/divergence.js';
import type { Trial } from '../../../oracle/trial.js';
import { dialectFor, dialects } from '../../../reference/dialects/dialect.js';
import { eventsOf, precedes, tells } from '../../../suites/state-machine/story.js';

/** A trial that throws what a check finds. */
const trial = {
  dialect: dialects['3.0'],
  check(holds: boolean, expected: string | readonly string[], got: string, step?: string) {
    const report = { expected: typeof expected === 'string' ? [expected] : expected, got };
    if (!holds) throw new Divergence(step === undefined ? report : { ...report, step });
  },
} as unknown as Trial;

const fits = (words: string, plot: string | readonly string[], one = trial): boolean => {
  try {
    tells(one, words.split(' ').filter(Boolean), plot);
    return true;
  } catch (error) {
    if (!(error instanceof Divergence)) throw error;
    return false;
  }
};

describe('a story', () => {
  it('is told word by word, to its end', () => {
    expect(fits('setup ↵migrate P', 'setup ↵migrate P')).to.equal(true);
    expect(fits('setup ↵migrate', 'setup ↵migrate P')).to.equal(false);
    expect(fits('setup ↵migrate P P', 'setup ↵migrate P')).to.equal(false);
    expect(fits('↵migrate setup', 'setup ↵migrate')).to.equal(false);
    expect(fits('', '')).to.equal(true);
    expect(fits('S', '')).to.equal(false);
  });

  it('may have words that are optional, repeated or one of several', () => {
    for (const words of ['active', 'active P', 'active P P P']) expect(fits(words, 'active P*')).to.equal(true);
    expect(fits('active S', 'active P* S?')).to.equal(true);
    expect(fits('active S S', 'active P* S?')).to.equal(false);
    expect(fits('failed', 'failed|cancelled')).to.equal(true);
    expect(fits('failed cancelled', 'failed|cancelled')).to.equal(false);
    expect(fits('P', 'P+')).to.equal(true);
    expect(fits('', 'P+')).to.equal(false);
  });

  it('does not take a word for the beginning of another one', () => {
    expect(fits('postcopy-active', 'active')).to.equal(false);
    expect(fits('cancelling', 'cancelled')).to.equal(false);
    expect(fits('S', 'STOP')).to.equal(false);
  });

  it('may be one of several', () => {
    expect(fits('failed R', ['cancelled', 'failed R'])).to.equal(true);
    expect(fits('failed', ['cancelled', 'failed R'])).to.equal(false);
  });

  it('is told in the words of a later release where that is the dialect', () => {
    const { dialect } = dialectFor({ major: 11, minor: 1 });
    const later = { ...trial, dialect } as unknown as Trial;
    const plot = 'setup P active P* S P failed R';
    expect(fits('setup P active S P failed R', plot)).to.equal(true);
    expect(fits('setup active P S R failed', plot)).to.equal(false);
    expect(fits('setup active P S R failed', plot, later)).to.equal(true);
    expect(fits('setup active P S failed R', plot, later)).to.equal(false);
    expect(fits('setup active S completed', 'setup P active S? P completed', later)).to.equal(true);
    expect(fits('setup active failed', 'setup P? active failed R?', later)).to.equal(true);
  });

  it('has an order', () => {
    precedes(trial, ['a', 'b'], 'a', 'b');
    expect(() => precedes(trial, ['b', 'a'], 'a', 'b')).to.throw(Divergence);
    expect(() => precedes(trial, ['a'], 'a', 'b')).to.throw(Divergence);
  });

  it('has events beside its replies', () => {
    expect(eventsOf(['setup', '↵migrate', '✗migrate', 'P'])).to.deep.equal(['setup', 'P']);
  });
});
