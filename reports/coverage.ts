/** What a campaign has reached: as a table, and as the state diagram with the arrows that were taken in green. */
import type { CoverageSummary } from '../campaign/coverage-summary.js';
import type { MigrationRules } from '../reference/dialects/migration.js';
import { diagram, type Side } from '../reference/model/index.js';
import type { Colors } from './terminal.js';

const percent = (part: number, of: number): string => (of === 0 ? '-' : `${Math.floor((part / of) * 100)} %`);

export function coverageTable(summary: CoverageSummary, colors: Colors): string {
  const { reachable, reached, perhaps, transitions, commands, errors, statuses } = summary;
  const merged = transitions.reduce((sum, { members }) => sum + members - 1, 0);
  const lines = [
    `${colors.bold('Coverage')}  ${reached} of ${reachable} transitions that can be reached (${percent(reached, reachable)})`,
    `          ${perhaps} more were taken, or others that look the same to a client (together ${percent(reached + perhaps, reachable)})`,
    ...(merged === 0
      ? []
      : [`          ${merged} of the model's transitions cannot be told from a neighbour, and are counted with it`]),
    '',
  ];
  const sides = ['outgoing', 'incoming', 'command'] as const;
  for (const side of sides) {
    const own = transitions.filter((one) => one.side === side && (one.outOfReach === undefined || one.cases > 0));
    const got = own.filter(({ cases }) => cases > 0).length;
    lines.push(
      `  ${`${side}s`.replace('outgoings', 'steps of the outgoing side').replace('incomings', 'steps of the incoming side').padEnd(28)}${String(got).padStart(4)} of ${own.length}`,
    );
  }
  lines.push(
    `  ${'outgoing statuses'.padEnd(28)}${statuses.outgoing.join(', ') || 'none was seen'}`,
    `  ${'incoming statuses'.padEnd(28)}${statuses.incoming.join(', ') || 'none was seen'}`,
    '',
    `${colors.bold('Commands')}                      states  outcomes  classes of values`,
  );
  for (const { command, states, outcomes, values } of commands) {
    const figures = [states.length, Object.keys(outcomes).length, Object.keys(values).length];
    lines.push(`  ${command.padEnd(28)}${figures.map((one, i) => String(one).padStart(i === 0 ? 6 : 10)).join('')}`);
  }
  lines.push(
    '',
    `${colors.bold('Refusals')}  ${
      Object.entries(errors)
        .map(([row, cases]) => `${row} ${cases}`)
        .join(', ') || 'none'
    }`,
  );
  const missing = transitions.filter(({ cases, outOfReach }) => cases === 0 && outOfReach === undefined);
  if (missing.length > 0) {
    lines.push(
      '',
      `${colors.bold('Not reached')}`,
      ...missing.map(
        (one) => `  ${one.perhaps > 0 ? '?' : '-'} ${one.side} ${one.label}  ${colors.dim(one.rows.join(', '))}`,
      ),
    );
  }
  const never = transitions.filter(({ cases, outOfReach }) => cases === 0 && outOfReach !== undefined);
  if (never.length > 0) {
    lines.push('', `${colors.bold('Out of reach from outside')}`);
    for (const reason of new Set(never.map(({ outOfReach }) => outOfReach))) {
      const labels = never.filter((one) => one.outOfReach === reason).map(({ label, rows }) => `${label} (${rows[0]})`);
      lines.push(`  ${reason}:`, ...wrapped(labels).map((line) => colors.dim(`    ${line}`)));
    }
  }
  return `${lines.join('\n')}\n`;
}

function wrapped(words: readonly string[], width = 110): string[] {
  const lines: string[] = [];
  for (const [i, word] of words.entries()) {
    const text = i < words.length - 1 ? `${word},` : word;
    const last = lines.at(-1);
    if (last !== undefined && last.length + text.length < width) lines[lines.length - 1] = `${last} ${text}`;
    else lines.push(text);
  }
  return lines;
}

/** The diagram of one side. */
export function coverageDiagram(summary: CoverageSummary, rules: MigrationRules, side: Side): string {
  const taken = new Set(summary.edges);
  return diagram(rules, side, 'svg', ({ from, to }) => (taken.has(`${side} ${from} ${to}`) ? '#1f7a3d' : '#c9ccd1'));
}
