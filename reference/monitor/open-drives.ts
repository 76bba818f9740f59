import { Drive } from '../block/drive.js';
import { Drives } from '../block/drives.js';
import { reasonOf } from '../migration/errno.js';
import type { DriveSpec } from './drive-options.js';
import { UsageError } from './usage-error.js';

/** Opens the drives of the command line. @throws UsageError */
export function openDrives(specs: readonly DriveSpec[]): Drives {
  const opened: Drive[] = [];
  for (const { option, name, source } of specs) {
    if (opened.some((drive) => drive.name === name))
      throw new UsageError(`${option}: Duplicate ID '${name}' for drive`);
    try {
      opened.push(new Drive(name, source));
    } catch (error) {
      const file = 'file' in source ? source.file : '';
      throw new UsageError(`${option}: Could not open '${file}': ${reasonOf(error)}`);
    }
  }
  return new Drives(opened);
}
