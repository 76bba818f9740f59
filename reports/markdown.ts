/** A short summary for the page of a CI job. */
import type { RequirementEnded, RunEvent } from '../oracle/run-events.js';
import type { Standing } from '../oracle/standing.js';
import { details, oneLine, productName } from './details.js';
import { plural, printable, seconds, shorten } from './printable.js';
import type { Report, Write } from './report.js';
import { faultOf, Tally } from './tally.js';

/** Failures shown in full: the page is a summary, the other reports have the rest. */
const shownInFull = 20;
const longestCell = 160;

export class MarkdownReport implements Report {
  private readonly tally = new Tally();

  constructor(private readonly write: Write) {}

  take(event: RunEvent): void {
    this.tally.take(event);
  }

  end(fault?: string): void {
    const { header, footer } = this.tally;
    const why = faultOf(this.tally, fault);
    const failed = this.tally.of('failed');
    const blocks = [`## qmpspec: ${this.headline(why)}`];
    if (why !== undefined) blocks.push(`**Aborted:** ${escaped(why)}`);
    if (header !== undefined) {
      const about = [productName(header), `dialect ${header.dialect}`, `seed ${header.seed}`];
      if (footer !== undefined) about.push(seconds(footer.duration));
      blocks.push(`${escaped(this.tally.sentence())}  \n${escaped(about.join(' · '))} · target ${code(header.target)}`);
      for (const note of header.notes) blocks.push(`Note: ${escaped(note)}`);
    }
    for (const outcome of failed.slice(0, shownInFull)) blocks.push(failure(outcome));
    if (failed.length > shownInFull) blocks.push(`… and ${plural(failed.length - shownInFull, 'more failure')}.`);
    blocks.push(...this.table('Warnings', 'warning'), ...this.table('Known defects', 'known'));
    blocks.push(...this.table('Failed as expected', 'expected'), ...this.outdated());
    blocks.push(...this.table('Not judged', 'inconclusive', 'vacuous'));
    if (header !== undefined) blocks.push(`Run again: ${code(header.reproduce)}`);
    this.write(`${blocks.join('\n\n')}\n`);
  }

  private headline(why: string | undefined): string {
    const failed = this.tally.of('failed').length;
    if (failed > 0) return `❌ ${plural(failed, 'failure')}`;
    if (why !== undefined) return '❌ the run was aborted';
    const { exitCode } = this.tally.footer ?? { exitCode: 1 };
    return exitCode === 0 ? '✅ conforms' : `❌ no verdict (exit code ${exitCode})`;
  }

  private outdated(): string[] {
    const lines = this.tally.unmatched.map(({ text }) => `- ${escaped(text)}`);
    const title = 'The expectations file no longer fits';
    const table = this.table(title, 'outdated');
    if (lines.length === 0) return table;
    return [...(table.length === 0 ? [`### ${title}`] : table), lines.join('\n')];
  }

  private table(title: string, ...standings: readonly Standing[]): string[] {
    const outcomes = this.tally.of(...standings);
    if (outcomes.length === 0) return [];
    const rows = outcomes
      .slice(0, shownInFull)
      .map((outcome) => `| ${outcome.id} | ${cell(outcome.title)} | ${cell(oneLine(outcome))} |`);
    const rest = outcomes.length > shownInFull ? `\n\n… and ${outcomes.length - shownInFull} more.` : '';
    return [`### ${title}`, `| id | requirement | what came |\n|---|---|---|\n${rows.join('\n')}${rest}`];
  }
}

function failure(outcome: RequirementEnded): string {
  const lines = details(outcome).flatMap(({ label, lines: texts }) =>
    texts.map((text, i) => `${(i === 0 ? label : '').padEnd(10)}${text}`),
  );
  const body = lines.join('\n');
  const fence = '`'.repeat(Math.max(3, ...[...body.matchAll(/`+/g)].map(([ticks]) => ticks.length + 1)));
  const chapter = escaped(outcome.chapter.join(' / '));
  return `### ❌ ${outcome.id} ${escaped(outcome.title)}\n\n${chapter}\n\n${fence}text\n${body}\n${fence}`;
}

const escaped = (text: string): string => printable(text).replace(/[\\`*_{}[\]<>#|~&]/g, (char) => `\\${char}`);

const cell = (text: string): string => escaped(shorten(text, longestCell));

/** A code span whose fence is longer than any run of backticks in it. */
function code(text: string): string {
  const shown = printable(text);
  const fence = '`'.repeat(1 + Math.max(0, ...[...shown.matchAll(/`+/g)].map(([ticks]) => ticks.length)));
  return fence.length === 1 ? `${fence}${shown}${fence}` : `${fence} ${shown} ${fence}`;
}
