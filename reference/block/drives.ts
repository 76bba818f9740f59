import type { Drive } from './drive.js';
import { NodeBitmap } from './node-bitmap.js';

/** A request about drives or bitmaps that cannot be met; the message is the error's `desc`. */
export class DriveError extends Error {
  override readonly name = 'DriveError';
}

/** Granularity of a bitmap that names none, in bytes. */
const usualGranularity = 65536;
const [smallest, largest] = [512, 2 ** 31];

/** The drives of a machine by name. */
export class Drives {
  readonly #drives = new Map<string, Drive>();

  constructor(drives: Iterable<Drive> = []) {
    for (const drive of drives) this.#drives.set(drive.name, drive);
  }

  get all(): readonly Drive[] {
    return [...this.#drives.values()];
  }

  find(name: string): Drive | undefined {
    return this.#drives.get(name);
  }

  /** `block-dirty-bitmap-add`. @throws DriveError */
  addBitmap(
    drive: Drive,
    name: string,
    granularity = usualGranularity,
    flags: { readonly persistent?: boolean; readonly disabled?: boolean } = {},
  ): void {
    if (name === '') throw new DriveError('Bitmap name cannot be empty');
    if (granularity < smallest || granularity > largest || (granularity & (granularity - 1)) !== 0) {
      throw new DriveError('Granularity must be power of 2 and at least 512');
    }
    if (drive.bitmaps.has(name)) throw new DriveError(`Bitmap already exists: ${name}`);
    const bitmap = new NodeBitmap(name, granularity, drive.size, flags.persistent);
    bitmap.recording = flags.disabled !== true;
    drive.bitmaps.set(name, bitmap);
  }

  close(): void {
    for (const drive of this.all) drive.close();
  }
}
