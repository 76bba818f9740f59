/** `--write-expect`: begins an expectations file with what fails in a run. */
import { existsSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { RequirementEnded, RunEvent, RunHeader } from '../oracle/run-events.js';
import { writeExpectations } from '../suites/expectations/write.js';
import { UsageError } from './failures.js';

export class NewExpectations {
  private header: RunHeader | undefined;
  private readonly outcomes: RequirementEnded[] = [];

  /** @throws UsageError when there is such a file: what people wrote into it is not to be lost */
  constructor(private readonly file: string) {
    if (existsSync(file)) throw new UsageError(`--write-expect: ${file} exists already; name a new file`);
    // Told now, and not when a run of minutes is over.
    const folder = dirname(file);
    if (!existsSync(folder)) throw new UsageError(`--write-expect: there is no folder ${folder} for ${file}`);
  }

  take(event: RunEvent): void {
    if (event.event === 'header') this.header = event;
    else if (event.event === 'requirement') this.outcomes.push(event);
  }

  /** @throws UsageError when it cannot be written */
  save(): void {
    if (this.header === undefined) return;
    try {
      writeFileSync(this.file, writeExpectations(this.header, this.outcomes), { flag: 'wx' });
    } catch (error) {
      throw new UsageError(`--write-expect: ${(error as Error).message.split(',', 1)[0]}`);
    }
  }
}
