/** The one line at the bottom of a terminal that says what is running. */
import type { RunEvent } from '../oracle/run-events.js';
import type { Write } from './report.js';
import type { Colors } from './terminal.js';

/** Back to the first column, and nothing to the right of it. */
const wipe = '\r\x1b[K';

export class LiveLine {
  private readonly running = new Set<string>();
  private planned = 0;
  private ended = 0;
  private shown = false;

  constructor(
    private readonly write: Write,
    private readonly colors: Colors,
    private readonly columns: () => number,
  ) {}

  take(event: RunEvent, failures: number): void {
    if (event.event === 'header') this.planned = event.planned;
    else if (event.event === 'started') this.running.add(event.id);
    else if (event.event === 'requirement') {
      this.running.delete(event.id);
      this.ended++;
    }
    if (event.event === 'footer') this.clear();
    else this.draw(failures);
  }

  clear(): void {
    if (this.shown) this.write(wipe);
    this.shown = false;
  }

  private draw(failures: number): void {
    const counts = `  ${this.ended}/${this.planned}${failures > 0 ? `, ${failures} failed` : ''}  `;
    // One column is left free: some terminals wrap when the last one is written.
    const text = `${counts}${[...this.running].join(' ')}`.slice(0, Math.max(0, this.columns() - 1));
    this.write(`${wipe}${this.colors.dim(text)}`);
    this.shown = true;
  }
}
