import { writeSync } from 'node:fs';

/** Name in front of every line on standard error. */
export const programName = 'qmpspec-monitor';

/** Writes one line to standard error at once, so that it survives the end of the process. */
export function logLine(line: string, timestamps = false): void {
  const time = timestamps ? `${new Date().toISOString()} ` : '';
  try {
    writeSync(2, `${time}${programName}: ${line}\n`);
  } catch {
    // Nobody listens.
  }
}
