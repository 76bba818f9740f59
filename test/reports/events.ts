/** Fixed event lists, one for each thing that can become of a run. */
import type { RequirementEnded, RunEvent, RunFooter, RunHeader } from '../../oracle/run-events.js';
import type { VerdictKind } from '../../oracle/verdict.js';

export function header(more: Partial<RunHeader> = {}): RunHeader {
  return {
    event: 'header',
    version: 1,
    tool: 'qmpspec 1.2.3',
    target: 'qemu',
    description: '/usr/bin/qemu-system-x86_64',
    product: 'qemu',
    productVersion: '7.2.22',
    dialect: '7.2',
    notes: [],
    seed: 42,
    jobs: 2,
    strict: false,
    planned: 0,
    began: '2024-05-06T07:08:09.123Z',
    reproduce: 'qmpspec run --target qemu --seed 42',
    ...more,
  };
}

let serial = 0;

export function outcome(
  kind: VerdictKind,
  more: Partial<Omit<RequirementEnded, 'verdict'>> & { verdict?: object } = {},
) {
  const { verdict, ...rest } = more;
  const result: RequirementEnded = {
    event: 'requirement',
    id: `QMP-X-${String(++serial).padStart(2, '0')}`,
    level: 'MUST',
    title: 'the monitor does as it is told',
    spec: 'qmp-protocol.md §3',
    chapter: ['QMP protocol', '3 Capabilities negotiation'],
    duration: 1.25,
    checks: 3,
    ...rest,
    verdict: { kind, ...verdict },
  };
  return result;
}

export function footer(outcomes: readonly RequirementEnded[], more: Partial<RunFooter> = {}): RunFooter {
  const counts: Partial<Record<VerdictKind, number>> = {};
  for (const { verdict } of outcomes) counts[verdict.kind] = (counts[verdict.kind] ?? 0) + 1;
  const { length } = outcomes;
  return { event: 'footer', counts, planned: length, ran: length, duration: 5123, exitCode: 0, ...more };
}

/** A whole stream; ids are numbered anew in each. */
export function stream(
  outcomes: readonly RequirementEnded[],
  more: { header?: Partial<RunHeader>; footer?: Partial<RunFooter> } = {},
): RunEvent[] {
  const numbered = outcomes.map((one, i) => ({
    ...one,
    id: one.id.startsWith('QMP-X-') ? `QMP-X-${String(i + 1).padStart(2, '0')}` : one.id,
  }));
  return [
    header({ planned: numbered.length, ...more.header }),
    ...numbered.flatMap((one): RunEvent[] => [{ event: 'started', id: one.id }, one]),
    footer(numbered, more.footer),
  ];
}

const divergence = { expected: ['status is "cancelled"', 'status is "cancelling"'], got: '"failed"' };

/** What a hostile monitor may say: controls, terminal escapes, XML, Markdown, YAML, text direction, half a surrogate. */
export const hostile =
  'a\u0000b\u001b[2J\u001b]0;owned\u0007 </failure>]]><!-- & "quotes" \'single\' | `code` **bold** # TODO \\ \u009b31m \u202eevil\u2066 é 漢字 😀 \ud800 \uffff\r\nnot ok 99';

export const passed = () => outcome('conforms');
export const diverged = () =>
  outcome('divergence', {
    title: 'query-migrate says "cancelled" once MIGRATION has announced it',
    chapter: ['Migration', 'State machine', 'Cancel'],
    spec: 'state-machine.md, cancel from active',
    verdict: { divergence: { ...divergence, step: 'query-migrate', entry: 7 } },
    excerpt: [
      '   5 -> {"execute":"migrate_cancel"}',
      '   6 <- {"event":"MIGRATION","data":{"status":"cancelled"}}',
      '   7 <- {"return":{"status":"failed"}}   <-- here',
    ],
    reproduce: 'qmpspec run --target qemu --seed 42 QMP-X-02',
  });

/** Every verdict and every level. */
export const everything = (strict = false): RunEvent[] =>
  stream(
    [
      passed(),
      diverged(),
      outcome('crash', {
        title: 'a migration to nowhere fails in peace',
        verdict: {
          reason: 'the target died: killed by SIGSEGV',
          divergence: { expected: ['a reply'], got: 'end of file' },
        },
        stderr: ['qemu: internal error', 'qemu: terminating'],
        reproduce: 'qmpspec run --target qemu --seed 42 QMP-X-03',
        duration: 1234.5,
      }),
      outcome('hang', {
        title: 'every command is answered',
        verdict: {
          reason: 'the target no longer answers: no greeting within 5000 ms',
          divergence: { expected: ['a reply'], got: 'nothing within 5000 ms' },
        },
        duration: 5000,
      }),
      outcome('garbage', { verdict: { reason: 'it sent something that is not JSON' } }),
      outcome('flaky', { verdict: { reason: '3 of 5 runs failed' } }),
      outcome('known-defect', { verdict: { reason: 'released monitors do so', defect: 'MIG-DEF-14' } }),
      outcome('not-applicable', { verdict: { reason: 'no capability xbzrle' }, duration: 0, checks: 0 }),
      outcome('inconclusive', { verdict: { reason: 'the requirement itself failed: TypeError: x\n    at y' } }),
      outcome('vacuous', { verdict: { reason: 'it ended without checking anything' }, checks: 0 }),
      outcome('divergence', { level: 'SHOULD', title: 'it is quick', verdict: { divergence } }),
      outcome('divergence', { level: 'INFO', title: 'it is called QEMU', verdict: { divergence } }),
      outcome('conforms', { level: 'SHOULD', title: 'it is polite', chapter: ['Migration'] }),
    ],
    { header: { strict, notes: ['dialect 7.2 is the nearest older one'] }, footer: { exitCode: 1 } },
  );

const neverBegan = (reason: string) => outcome('inconclusive', { verdict: { reason }, duration: 0, checks: 0 });

/** Event lists by name; each has a golden file per format. */
export const runs: Readonly<Record<string, () => RunEvent[]>> = {
  green: () => stream([passed(), passed(), outcome('conforms', { chapter: ['Migration', 'State machine'] })]),
  everything: () => everything(),
  strict: () => everything(true),
  longWire: () =>
    stream(
      [
        outcome('divergence', {
          title: hostile,
          verdict: { divergence: { expected: ['one line'], got: hostile, step: hostile } },
          excerpt: [hostile, 'x'.repeat(5000), ...Array.from({ length: 14 }, (_, i) => `  ${i} <- {"return": {}}`)],
          stderr: [hostile],
          reproduce: `qmpspec run 'QMP-X-01'`,
        }),
      ],
      { header: { notes: [hostile], product: hostile, target: hostile }, footer: { exitCode: 1 } },
    ),
  notApplicable: () =>
    stream(
      ['no xbzrle', 'no multifd', 'no multifd', 'no tls', 'no rdma'].map((reason) =>
        outcome('not-applicable', { verdict: { reason }, duration: 0, checks: 0 }),
      ),
      { footer: { exitCode: 4 } },
    ),
  aborted: () =>
    stream([passed(), ...Array.from({ length: 3 }, () => neverBegan('the target is gone: exit status 1'))], {
      footer: { exitCode: 3, aborted: 'the target is gone: exit status 1' },
    }),
  interrupted: () =>
    stream([passed(), ...Array.from({ length: 30 }, () => neverBegan('the run was interrupted'))], {
      footer: { exitCode: 130 },
    }),
  expectations: () => {
    const file = { entry: 3, kind: 'known-failing', reason: 'not yet built', ticket: 'T-7' } as const;
    const failing = { verdict: { divergence }, signature: 'divergence: got "failed"' };
    const [first, ...rest] = stream(
      [
        passed(),
        outcome('divergence', { ...failing, expectation: { ...file, state: 'met' } }),
        outcome('divergence', { ...failing, expectation: { ...file, state: 'different', signature: 'crash: *' } }),
        outcome('divergence', { ...failing, expectation: { ...file, state: 'expired', expires: '2024-05-05' } }),
        outcome('conforms', { expectation: { ...file, state: 'fixed' } }),
        outcome('conforms', { expectation: { ...file, state: 'expired', expires: '2024-05-05' } }),
        outcome('conforms', { expectation: { ...file, kind: 'not-applicable', state: 'fixed' } }),
        outcome('not-applicable', {
          verdict: { reason: 'no capability xbzrle' },
          expectation: { ...file, state: 'unjudged' },
        }),
        outcome('inconclusive', { verdict: { reason: 'no time' }, expectation: { ...file, state: 'unjudged' } }),
      ],
      { header: { unmatched: 1 }, footer: { exitCode: 1 } },
    );
    const text = "known.json:12: entry 5: 'QMP-X-99' matches no requirement; did you mean 'QMP-X-01'?";
    return [first as RunEvent, { event: 'unmatched', entry: 5, text }, ...rest];
  },
  empty: () => stream([], { footer: { exitCode: 4 } }),
  cutOff: () => everything().slice(0, 6),
  nothing: () => [],
};
