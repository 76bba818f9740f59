/**
 * The screen of a run: the tree of chapters with each requirement as it ends, failures in full where they happen and again
 * at the end, a summary of two lines, and while it runs one live line.
 */
import type pc from 'picocolors';
import { exitCodes, exitMeanings } from '../oracle/exit-codes.js';
import type { RequirementEnded, RunEvent, RunHeader } from '../oracle/run-events.js';
import type { Standing } from '../oracle/standing.js';
import { type Detail, details, oneLine, productName, verdictWords } from './details.js';
import { LiveLine } from './live-line.js';
import { plural, printable, seconds } from './printable.js';
import type { Report, Write } from './report.js';
import { faultOf, Tally } from './tally.js';

export type Colors = ReturnType<typeof pc.createColors>;

export interface TerminalOptions {
  readonly colors: Colors;
  /** Columns, asked for anew each time: the window may change. */
  readonly columns?: () => number;
  /** Keep one line at the bottom that says what is running: only for a terminal. */
  readonly live?: boolean;
  /** Only what went wrong, and the summary. */
  readonly quiet?: boolean;
}

const marks: Record<Standing, string> = {
  passed: '✓',
  failed: '×',
  warning: '!',
  note: 'i',
  known: '~',
  expected: '~',
  outdated: '≠',
  'not-applicable': '-',
  inconclusive: '?',
  vacuous: '?',
};

/** Wider than this, the eye loses the line between a title and its id. */
const widest = 130;
/** Columns kept for the id. */
const idRoom = 26;
/** Milliseconds from which a requirement's time is worth a word. */
const slow = 200;

export class TerminalReport implements Report {
  private readonly tally = new Tally();
  private readonly live: LiveLine | undefined;
  private shownChapter: readonly string[] = [];
  private failures = 0;

  constructor(
    private readonly write: Write,
    private readonly options: TerminalOptions,
  ) {
    if (options.live) this.live = new LiveLine(write, options.colors, () => options.columns?.() ?? 80);
  }

  take(event: RunEvent): void {
    this.tally.take(event);
    if (event.event === 'header') this.begin(event);
    else if (event.event === 'unmatched') this.say(`  ${this.paint('outdated')(`≠ ${printable(event.text)}`)}`);
    else if (event.event === 'note') this.say(`  ${this.dim(`note: ${printable(event.text)}`)}`);
    else if (event.event === 'requirement') this.ended(event);
    this.live?.take(event, this.failures);
  }

  end(fault?: string): void {
    this.live?.clear();
    const { header, footer } = this.tally;
    if (!this.options.quiet) this.failuresAgain();
    this.outdated();
    this.unjudged();
    const aborted = faultOf(this.tally, fault);
    if (aborted !== undefined) this.say('', `  ${this.options.colors.red(`aborted: ${printable(aborted)}`)}`);
    if (header === undefined) return;
    this.say(
      ...(this.options.quiet && this.failures === 0 ? [] : ['']),
      `  ${this.tally.sentence((text, standing) => this.paint(standing)(text))}`,
      `  ${this.dim([productName(header), `dialect ${header.dialect}`, `seed ${header.seed}`, ...(footer ? [seconds(footer.duration)] : [])].join(' · '))}`,
    );
    const meaning = footer === undefined ? undefined : lastWord(footer.exitCode);
    if (meaning !== undefined) this.say(`  ${meaning}`);
  }

  private begin(header: RunHeader): void {
    if (this.options.quiet) return;
    const { colors } = this.options;
    const what = [
      colors.bold(productName(header)),
      `dialect ${header.dialect}`,
      target(header),
      plural(header.planned, 'requirement'),
    ];
    this.say(`  ${what.join(' · ')}`, ...header.notes.map((note) => `  ${this.dim(`note: ${printable(note)}`)}`));
  }

  private ended(outcome: RequirementEnded): void {
    const standing = this.tally.standing(outcome);
    const bad = standing === 'failed' || standing === 'warning' || standing === 'outdated';
    if (standing === 'failed') this.failures++;
    if (neverBegan(outcome) || (this.options.quiet && !bad)) return;
    this.chapter(outcome.chapter);
    const indent = '  '.repeat(outcome.chapter.length + 1);
    this.say(this.headline(outcome, standing, indent));
    if ((bad && standing !== 'outdated') || standing === 'note') this.block(details(outcome), standing, `${indent}  `);
  }

  private chapter(path: readonly string[]): void {
    const same = path.findIndex((title, i) => title !== this.shownChapter[i]);
    if (same === -1) return;
    const lines = path
      .slice(same)
      .map((title, i) => `${'  '.repeat(same + i + 1)}${this.options.colors.bold(printable(title))}`);
    this.say(...(same === 0 ? [''] : []), ...lines);
    this.shownChapter = path;
  }

  private headline(outcome: RequirementEnded, standing: Standing, indent: string): string {
    const { colors } = this.options;
    const paint = this.paint(standing);
    const why =
      standing === 'expected' || standing === 'outdated'
        ? ` (${oneLine(outcome)})`
        : standing === 'not-applicable' || standing === 'known' || standing === 'inconclusive' || standing === 'vacuous'
          ? ` (${standing === 'not-applicable' ? printable(outcome.verdict.reason ?? '') : verdictWords(outcome)})`
          : '';
    const time = outcome.duration >= slow ? ` (${Math.round(outcome.duration)} ms)` : '';
    const title = printable(outcome.title);
    const level = outcome.level === 'MUST' && standing !== 'failed' ? '' : `  ${outcome.level}`;
    const room = this.width() - indent.length - 2 - title.length - why.length - time.length - idRoom - 8;
    const gap = ' '.repeat(Math.max(2, room));
    const shown = standing === 'passed' ? title : paint(title);
    return `${indent}${paint(marks[standing])} ${shown}${colors.dim(why + time)}${gap}${colors.dim(outcome.id.padEnd(idRoom) + level)}`.trimEnd();
  }

  private block(list: readonly Detail[], standing: Standing, indent: string): void {
    for (const { label, lines } of list) {
      const name = label === 'or' ? '  or' : label;
      lines.forEach((text, i) => {
        const shown =
          label === 'got' ? this.paint(standing)(text) : label === 'wire' || label === 'stderr' ? this.dim(text) : text;
        this.say(`${indent}${this.dim((i === 0 ? name : '').padEnd(10))}${shown}`);
      });
    }
  }

  /** Without the wire, which stands further up: the end of the screen is for an overview. */
  private failuresAgain(): void {
    const failed = this.tally.of('failed');
    if (failed.length === 0) return;
    this.say('', `  ${this.options.colors.bold(plural(failed.length, 'failure'))}`);
    for (const outcome of failed) {
      this.say('', `    ${this.dim(outcome.chapter.map(printable).join(' / '))}`);
      this.say(this.headline(outcome, 'failed', '    '));
      const list = details(outcome).filter(({ label }) => label !== 'wire' && label !== 'stderr');
      this.block(list, 'failed', '      ');
    }
  }

  /** Entries of the expectations file that do not fit: each by its own line, at the end where it is seen. */
  private outdated(): void {
    const outcomes = this.tally.of('outdated');
    const lines = [
      ...outcomes.map((outcome) => `${outcome.id}: ${oneLine(outcome)}`),
      ...this.tally.unmatched.map(({ text }) => printable(text)),
    ];
    if (lines.length === 0) return;
    this.say('', `  ${this.options.colors.bold('The expectations file no longer fits')}`);
    this.say(...lines.map((line) => `    ${this.paint('outdated')('≠')} ${line}`));
  }

  /** Hundreds of requirements may be cut off by one cause: the cause is told once. */
  private unjudged(): void {
    const causes = new Map<string, number>();
    for (const { verdict } of this.tally.of('inconclusive').filter(neverBegan)) {
      const cause = printable(verdict.reason ?? 'no reason given');
      causes.set(cause, (causes.get(cause) ?? 0) + 1);
    }
    if (causes.size > 0) this.say('');
    for (const [cause, count] of causes) this.say(`  ${this.paint('inconclusive')('?')} ${count} not run: ${cause}`);
  }

  private say(...lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.live?.clear();
    this.write(`${lines.join('\n')}\n`);
  }

  private width(): number {
    return Math.min(this.options.columns?.() ?? widest, widest);
  }

  private dim(text: string): string {
    return this.options.colors.dim(text);
  }

  private paint(standing: Standing): (text: string) => string {
    const { colors } = this.options;
    if (standing === 'failed' || standing === 'vacuous') return colors.red;
    if (standing === 'passed') return colors.green;
    return standing === 'not-applicable' || standing === 'note' ? colors.dim : colors.yellow;
  }
}

/** Cut off before it was its turn. */
const neverBegan = ({ verdict, duration, checks }: RequirementEnded): boolean =>
  verdict.kind === 'inconclusive' && duration === 0 && checks === 0;

function target(header: RunHeader): string {
  const { target, description } = header;
  return printable(target === description ? target : `${target} (${description})`);
}

/** What an exit code that is neither green nor red means. */
function lastWord(exitCode: number): string | undefined {
  if (exitCode === exitCodes.conforms || exitCode === exitCodes.divergences) return undefined;
  const name = (Object.keys(exitCodes) as (keyof typeof exitCodes)[]).find((key) => exitCodes[key] === exitCode);
  return `exit code ${exitCode}${name === undefined ? '' : `: ${exitMeanings[name]}`}`;
}
