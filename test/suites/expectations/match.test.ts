import { expect } from 'chai';
import type { Expected, RequirementEnded } from '../../../oracle/run-events.js';
import { signatureOf } from '../../../oracle/signature.js';
import { type Standing, standing } from '../../../oracle/standing.js';
import type { Verdict } from '../../../oracle/verdict.js';
import { type Expectation, parseExpectations } from '../../../suites/expectations/file.js';
import { ExpectationMatcher } from '../../../suites/expectations/match.js';
import { writeExpectations } from '../../../suites/expectations/write.js';
import { header, outcome } from '../../reports/events.js';

const today = '2026-05-06';
const base = { id: 'QMP-NEG-*', kind: 'known-failing', reason: 'r' } as const;
const matcher = (...entries: readonly Expectation[]) =>
  new ExpectationMatcher({ file: 'known.json', entries, lines: entries.map((_, i) => i + 4) }, today);
const ended = (verdict: Verdict, more: Partial<Omit<RequirementEnded, 'verdict'>> = {}): RequirementEnded => {
  const signature = signatureOf(verdict);
  return outcome(verdict.kind, {
    id: 'QMP-NEG-01',
    verdict,
    ...(signature === undefined ? {} : { signature }),
    ...more,
  });
};
const diverged: Verdict = { kind: 'divergence', divergence: { expected: ['a'], got: '{"id": "qs7.1"} after 12 ms' } };
const passed: Verdict = { kind: 'conforms' };

describe('expectations', () => {
  const cases: readonly (readonly [string, Partial<Expectation>, Verdict, Expected['state'], Standing])[] = [
    ['a known failure', {}, diverged, 'met', 'expected'],
    [
      'a known failure by its signature',
      { signature: 'divergence: got {"id": "qs#"} after # ms' },
      diverged,
      'met',
      'expected',
    ],
    ['a known failure by a part of it', { signature: 'divergence: *after*' }, diverged, 'met', 'expected'],
    ['another failure', { signature: 'crash: *' }, diverged, 'different', 'failed'],
    ['a fix', {}, passed, 'fixed', 'outdated'],
    ['a flaky one that fails', { kind: 'known-flaky' }, diverged, 'met', 'expected'],
    ['a flaky one that passes', { kind: 'known-flaky' }, passed, 'met', 'passed'],
    [
      'a flaky one that fails in another way',
      { kind: 'known-flaky', signature: 'hang*' },
      diverged,
      'different',
      'failed',
    ],
    ['what does not concern the target and fails', { kind: 'not-applicable' }, diverged, 'met', 'expected'],
    [
      'what does not concern the target and says so',
      { kind: 'not-applicable' },
      { kind: 'not-applicable' },
      'met',
      'not-applicable',
    ],
    ['what does not concern the target and passes', { kind: 'not-applicable' }, passed, 'fixed', 'outdated'],
    ['a failure of what does not apply', {}, { kind: 'not-applicable' }, 'unjudged', 'outdated'],
    ['a failure that was not seen', {}, { kind: 'inconclusive' }, 'unjudged', 'inconclusive'],
    ['an expired failure', { expires: '2026-05-05' }, diverged, 'expired', 'failed'],
    ['an expired failure that passes', { expires: '2026-05-05' }, passed, 'expired', 'outdated'],
    ['its last day', { expires: today }, diverged, 'met', 'expected'],
    [
      'a known defect',
      { signature: 'known-defect MIG-DEF-14' },
      { kind: 'known-defect', defect: 'MIG-DEF-14' },
      'met',
      'expected',
    ],
  ];
  for (const [name, entry, verdict, state, how] of cases) {
    it(`of ${name}: ${how}`, () => {
      const judged = matcher({ ...base, ...entry }).judge(ended(verdict));
      expect(judged.expectation?.state).to.equal(state);
      expect(standing(judged, true)).to.equal(how);
      expect(standing(judged, false)).to.equal(how);
    });
  }

  it('leave alone what they do not speak of', () => {
    const one = ended(diverged, { id: 'QMP-ARG-01' });
    expect(matcher(base).judge(one)).to.equal(one);
  });

  it('of several, take the one whose signature fits', () => {
    const judged = matcher({ ...base, signature: 'crash*' }, { ...base, signature: 'divergence*' }).judge(
      ended(diverged),
    );
    expect(judged.expectation).to.include({ entry: 2, state: 'met' });
  });

  it('that speak of nothing are told with a suggestion; findings are for the fuzzer', () => {
    const file = matcher({ ...base, id: 'QMP-NGE-01' }, base, { kind: 'finding', signature: 'x', reason: 'r' });
    const [one, ...more] = file.unmatched(['QMP-NEG-01', 'MIG-SM-O01']);
    expect(more).to.deep.equal([]);
    expect(one?.text).to.equal(
      "known.json:4: entry 1: 'QMP-NGE-01' matches no requirement; did you mean 'QMP-NEG-01'?",
    );
  });

  it('that are written from a run are met by the same run', () => {
    const outcomes = [
      ended(diverged),
      ended({ kind: 'crash', reason: 'the target died: a*b?[c]' }, { id: 'QMP-NEG-02' }),
      ended(passed, { id: 'QMP-NEG-03' }),
      ended({ kind: 'known-defect', defect: 'MIG-DEF-14' }, { id: 'QMP-NEG-04' }),
    ];
    const file = parseExpectations(writeExpectations(header(), outcomes), 'new.json');
    expect(file.entries.map(({ id }) => id)).to.deep.equal(['QMP-NEG-01', 'QMP-NEG-02']);
    const again = new ExpectationMatcher(file, '2024-05-07');
    expect(outcomes.map((one) => again.judge(one).expectation?.state)).to.deep.equal([
      'met',
      'met',
      undefined,
      undefined,
    ]);
  });
});

describe('the signature of a failure', () => {
  it('is the same however its ids, times, ports and folders differ', () => {
    const at = (got: string) => signatureOf({ kind: 'divergence', divergence: { expected: ['a'], got, step: 's' } });
    expect(at('id qs1.2 in /tmp/qmpspec-abc/3/x.sock after 1.5 ms')).to.equal(
      at('id qs77.1 in /var/tmp/qmpspec-zzzzz/12/x.sock after 900 ms'),
    );
    expect(at('a')).not.to.equal(at('b'));
  });

  it('is nothing for what does not speak against the target', () => {
    for (const kind of ['conforms', 'not-applicable', 'inconclusive', 'vacuous'] as const) {
      expect(signatureOf({ kind })).to.equal(undefined);
    }
  });
});
