/** TAP 14: a test point for each requirement, with a YAML block for what went wrong. */
import type { RequirementEnded, RunEvent, RunHeader } from '../oracle/run-events.js';
import type { Standing } from '../oracle/standing.js';
import { details, oneLine, productName } from './details.js';
import { printable } from './printable.js';
import type { Report, Write } from './report.js';
import { faultOf, Tally } from './tally.js';

/** Standings for which a TAP consumer must see a failed test. */
const notOk: readonly Standing[] = ['failed', 'outdated', 'inconclusive', 'vacuous'];
/** A failed test that does not count, in TAP's words: `not ok … # TODO`. */
const todo: readonly Standing[] = ['warning', 'note', 'known', 'expected'];

export class TapReport implements Report {
  private readonly tally = new Tally();
  private count = 0;

  /** @param diagnostics write a YAML block for each test point, and points for what is no requirement */
  constructor(
    private readonly write: Write,
    private readonly diagnostics = true,
  ) {}

  take(event: RunEvent): void {
    this.tally.take(event);
    if (event.event === 'header') {
      this.write(`TAP version 14\n1..${event.planned + this.further(event)}\n`);
      const about = [event.tool, productName(event), `dialect ${event.dialect}`, `seed ${event.seed}`];
      for (const text of [about.join(' · '), event.reproduce, ...event.notes]) this.comment(text);
    } else if (event.event === 'note') {
      this.comment(event.text);
    } else if (event.event === 'unmatched') {
      if (this.diagnostics) this.write(`not ok ${++this.count} - ${escaped(printable(event.text))}\n`);
    } else if (event.event === 'requirement') {
      this.count++;
      this.write(this.point(event));
    }
  }

  end(fault?: string): void {
    if (this.tally.header === undefined) this.write('TAP version 14\n');
    const why = faultOf(this.tally, fault);
    if (why !== undefined) this.write(`Bail out! ${escaped(printable(why))}\n`);
    else this.comment(this.tally.sentence());
  }

  /** Test points that are no requirements: entries of the expectations file that fit nothing. */
  private further({ unmatched = 0 }: RunHeader): number {
    return this.diagnostics ? unmatched : 0;
  }

  private point(outcome: RequirementEnded): string {
    const standing = this.tally.standing(outcome);
    const failed = notOk.includes(standing) || todo.includes(standing);
    const skipped = standing === 'not-applicable';
    const directive = skipped
      ? ` # SKIP ${escaped(printable(outcome.verdict.reason ?? 'not applicable'))}`
      : todo.includes(standing)
        ? ` # TODO ${escaped(outcome.level === 'MUST' || standing === 'expected' ? oneLine(outcome) : `${outcome.level}, does not count`)}`
        : '';
    const name = escaped(printable(`${outcome.id} ${outcome.title}`));
    return `${failed ? 'not ok' : 'ok'} ${this.count} - ${name}${directive}\n${skipped || !this.diagnostics ? '' : yaml(outcome, failed)}`;
  }

  private comment(text: string): void {
    this.write(`# ${printable(text)}\n`);
  }
}

/** `#` would begin a directive, `\` an escape. */
const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('#', '\\#');

function yaml(outcome: RequirementEnded, failed: boolean): string {
  const lines = [`level: ${outcome.level}`, `spec: ${quoted(outcome.spec)}`, `duration_ms: ${outcome.duration}`];
  if (failed) {
    lines.push(`verdict: ${outcome.verdict.kind}`, `message: ${quoted(oneLine(outcome))}`);
    const found = details(outcome);
    const of = (...labels: readonly string[]) =>
      found.filter(({ label }) => labels.includes(label)).flatMap((detail) => detail.lines);
    const list = (key: string, texts: readonly string[]) => {
      if (texts.length > 0) lines.push(`${key}:`, ...texts.map((text) => `  - ${quoted(text)}`));
    };
    list('at', of('at'));
    list('expected', of('expected', 'or'));
    list('got', of('got'));
    list('wire', of('wire'));
    list('stderr', of('stderr'));
    for (const text of of('again')) lines.push(`again: ${quoted(text)}`);
  }
  return `${['---', ...lines, '...'].map((line) => `  ${line}`).join('\n')}\n`;
}

/** A JSON string is a YAML double-quoted one, as long as everything in it is printable. */
const quoted = (text: string): string => JSON.stringify(printable(text));
