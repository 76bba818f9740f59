/** `--write-expect`: begins an expectations file with what fails in a run. */
import { accessSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { StorageError } from '../campaign/folder.js';
import type { RequirementEnded, RunEvent, RunHeader } from '../oracle/run-events.js';
import { writeExpectations } from '../suites/expectations/write.js';
import { UsageError } from './failures.js';
import { saveFile } from './save-file.js';

export class NewExpectations {
  private header: RunHeader | undefined;
  private readonly outcomes: RequirementEnded[] = [];

  /** @throws UsageError when there is such a file: what people wrote into it is not to be lost; StorageError */
  constructor(private readonly file: string) {
    if (existsSync(file)) throw new UsageError(`--write-expect: ${file} exists already; name a new file`);
    // Told now, and not when a run of minutes is over.
    const folder = dirname(file);
    if (!existsSync(folder)) throw new UsageError(`--write-expect: there is no folder ${folder} for ${file}`);
    try {
      accessSync(folder, constants.W_OK);
    } catch (error) {
      throw new StorageError(file, '', error);
    }
  }

  take(event: RunEvent): void {
    if (event.event === 'header') this.header = event;
    else if (event.event === 'requirement') this.outcomes.push(event);
  }

  /** @throws StorageError */
  save(): void {
    if (this.header !== undefined) saveFile(this.file, writeExpectations(this.header, this.outcomes), 'wx');
  }
}
