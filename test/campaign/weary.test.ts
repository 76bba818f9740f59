/** Waits for what a known defect keeps from coming. */
import { expect } from 'chai';
import { attempt } from '../../campaign/attempt.js';
import type { Symptom } from '../../campaign/symptom.js';
import { Weary } from '../../campaign/weary.js';
import { referenceTarget } from '../../targets/executable.js';
import { factsOf } from '../../targets/facts.js';
import type { Scenario } from '../../targets/scenario.js';

const symptom = (kind: Symptom['kind']): Symptom => ({
  kind,
  subject: 'stays cancelling after its channel was closed',
  rows: [],
  state: '',
  expected: [],
  got: '',
});
const query = 'query-migrate';

describe('a status that a known defect keeps', () => {
  it('is waited for in full until it was seen three times', () => {
    const weary = new Weary();
    for (let seen = 0; seen < 3; seen++) {
      expect(weary.of(query, 'cancelling')).to.equal(Number.POSITIVE_INFINITY);
      weary.ranOut(query, 'cancelling');
      weary.learn([symptom('known-defect')]);
    }
    expect(weary.of(query, 'cancelling')).to.be.lessThan(1000);
    expect(weary.of(query, 'active')).to.equal(Number.POSITIVE_INFINITY);
  });

  it('is no reason to be short with what shows anything else, or nothing', () => {
    const weary = new Weary();
    for (const symptoms of [[], [symptom('hang')], [symptom('known-defect'), symptom('divergence')]]) {
      for (let i = 0; i < 5; i++) {
        weary.ranOut(query, 'cancelling');
        weary.learn(symptoms);
      }
    }
    expect(weary.of(query, 'cancelling')).to.equal(Number.POSITIVE_INFINITY);
  });
});

describe('a wait for a status', () => {
  const target = referenceTarget('reference');
  after(() => target.close());
  const scenario: Scenario = {
    scenario: 1,
    steps: [
      { do: 'start', at: 'source' },
      { do: 'connect', at: 'source' },
      { do: 'peer', channel: 's', behaviour: 'silent' },
      { do: 'command', at: 'source', execute: 'migrate-set-parameters', arguments: { 'max-bandwidth': 4096 } },
      { do: 'command', at: 'source', execute: 'migrate', arguments: { uri: 'unix:{channel s}' } },
      { do: 'status', at: 'source', is: ['failed'], deadline: 30_000 },
      { do: 'command', at: 'source', execute: 'migrate_cancel' },
    ],
  };

  it('ends as soon as nothing is hoped for any more, and says how long it was', async () => {
    const over: string[] = [];
    const { transcript, symptoms } = await attempt(scenario, {
      target,
      facts: await factsOf(target),
      strictDesc: false,
      patience: {
        of: (_, shown) => (shown === 'active' ? 50 : 30_000),
        ranOut: (...what) => over.push(what.join(' ')),
      },
    });
    expect(symptoms).to.deep.equal([]);
    expect(over).to.deep.equal(['query-migrate active']);
    const said = transcript.entries.find(({ text }) => text.startsWith('query-migrate did not show failed'))?.text;
    expect(Number(/within (\d+) ms$/.exec(said ?? '')?.[1])).to.be.within(50, 29_999);
  });
});
