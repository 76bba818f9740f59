/** A campaign on a terminal: one live line at the bottom, a block for each finding, a summary. Plain lines elsewhere. */
import type { CampaignEvent, Standing } from '../campaign/events.js';
import { type Finding, rateWords } from '../campaign/findings.js';
import { printable, shorten } from './printable.js';
import type { Write } from './report.js';
import type { Colors } from './terminal.js';

/** Back to the first column, and nothing to the right of it. */
const wipe = '\r\x1b[K';

/** Milliseconds between two plain lines where there is no live one. */
const plainInterval = 10_000;

/** Milliseconds over which the rate of the live line is told: a single case is over in a moment, or waits for seconds. */
const rateWindow = 3000;

export interface FuzzScreenOptions {
  readonly colors: Colors;
  /** The screen can be written over. */
  readonly live: boolean;
  readonly columns: () => number;
  readonly quiet: boolean;
}

export class FuzzScreen {
  private shown = false;
  private lastPlain = 0;
  private reachable: number | undefined;
  private rate: { readonly at: number; readonly commands: number } | undefined;
  private perSecond = 0;

  constructor(
    private readonly write: Write,
    private readonly options: FuzzScreenOptions,
  ) {}

  take(event: CampaignEvent): void {
    switch (event.event) {
      case 'begin':
        this.reachable = event.reachable;
        if (!this.options.quiet) this.line(...beginning(event));
        return;
      case 'status':
        this.status(event.standing);
        return;
      case 'finding':
        this.line('', ...this.finding(event.finding));
        return;
      case 'note':
        this.line(this.options.colors.yellow(`  ${printable(event.text)}`));
        return;
      case 'end':
        this.line('', ...this.summary(event.standing, event.interrupted));
        return;
    }
  }

  private line(...lines: readonly string[]): void {
    if (this.shown) this.write(wipe);
    this.shown = false;
    this.write(lines.map((one) => `${one}\n`).join(''));
  }

  private status(standing: Standing): void {
    const { live, quiet, colors, columns } = this.options;
    // A campaign that goes on has commands from before.
    this.rate ??= { at: standing.inThisRun, commands: standing.commands };
    const since = standing.inThisRun - this.rate.at;
    if (since >= (live ? rateWindow : plainInterval / 2)) {
      this.perSecond = (Math.max(0, standing.commands - this.rate.commands) / since) * 1000;
      this.rate = { at: standing.inThisRun, commands: standing.commands };
    }
    const text = this.statusText(standing);
    if (live) {
      this.write(`${wipe}${colors.dim(shorten(text, Math.max(1, columns() - 1)))}`);
      this.shown = true;
    } else if (!quiet && standing.inThisRun - this.lastPlain >= plainInterval) {
      this.lastPlain = standing.inThisRun;
      this.line(text);
    }
  }

  private statusText(standing: Standing): string {
    const { timeLeft, runsLeft } = standing;
    const of = this.reachable === undefined ? '' : `/${this.reachable}`;
    const left =
      timeLeft === undefined
        ? runsLeft === undefined
          ? ''
          : `, ${runsLeft} cases left`
        : `, ${duration(timeLeft)} left`;
    const looking = standing.open > 0 ? ` (+${standing.open} being looked into)` : '';
    return (
      `  ${duration(standing.inThisRun)}  ${standing.cases} cases, ${Math.round(this.perSecond)} commands/s, ` +
      `${standing.transitions}${of} transitions, ${standing.findings} findings${looking}, ${standing.known} known${left}`
    );
  }

  private finding({ id, file, known, confirmed, folder, shrinking }: Finding): string[] {
    const { colors } = this.options;
    const { symptom, scenario } = file;
    const mark = known ? colors.yellow('~') : confirmed ? colors.red('×') : colors.yellow('?');
    const rows = symptom.rows.length === 0 ? '' : `   ${colors.dim(symptom.rows.slice(0, 3).join(', '))}`;
    const steps = `${scenario.steps.length} steps${file.stepsBefore > scenario.steps.length ? `, shrunk from ${file.stepsBefore}` : ''}`;
    const minimal = shrinking.tried > 0 ? (shrinking.minimal ? ', none can go' : ', perhaps not the fewest') : '';
    const label = (name: string, text: string) =>
      `      ${colors.dim(name.padEnd(10))}${shorten(printable(text), 300)}`;
    return [
      `  ${mark} ${shorten(printable(file.title), 160)}${rows}`,
      label('expected', symptom.expected.slice(0, 4).join(', or ') || 'something else'),
      label('got', symptom.got),
      label('seen', `${rateWords(file.reproduced)} times again; ${steps}${minimal}`),
      label('finding', `${id}${known ? ' (known)' : confirmed ? '' : ' (not confirmed)'}`),
      ...(folder === undefined
        ? []
        : [label('replay', `qmpspec replay ${folder}/case.json`), label('by hand', `${folder}/repro.sh`)]),
    ];
  }

  private summary(standing: Standing, interrupted: boolean): string[] {
    const { colors } = this.options;
    const of = this.reachable === undefined ? '' : ` of ${this.reachable} that can be reached`;
    const parts = [
      standing.findings === 0
        ? colors.green('no new findings')
        : colors.red(`${standing.findings} ${standing.findings === 1 ? 'finding' : 'findings'}`),
      `${standing.known} known`,
      ...(standing.unconfirmed === 0 ? [] : [colors.yellow(`${standing.unconfirmed} not confirmed`)]),
      ...(standing.open === 0
        ? []
        : [colors.yellow(`${standing.open} not looked into yet: run again with the same --out`)]),
    ];
    const seconds = Math.max(0.001, standing.elapsed / 1000);
    return [
      `  ${interrupted ? 'interrupted: ' : ''}${standing.cases} cases, ${standing.commands} commands in ${duration(standing.elapsed)} (${Math.round(standing.commands / seconds)} commands/s)`,
      `  ${standing.transitions}${of} transitions, ${standing.novelties} coverage keys, ${standing.corpus} cases in the corpus`,
      `  ${parts.join(', ')}`,
    ];
  }
}

function beginning(event: Extract<CampaignEvent, { event: 'begin' }>): string[] {
  const product = event.product === 'qemu' ? 'QEMU' : event.product;
  return [
    `  ${printable(`${product} ${event.version}`)} · dialect ${event.dialect} · seed ${event.seed} · ${event.jobs} side by side`,
    ...(event.folder === undefined ? [] : [`  ${event.resumed ? 'goes on in' : 'keeps all in'} ${event.folder}`]),
  ];
}

/** `2:05`, `1:00:09`. */
export function duration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
