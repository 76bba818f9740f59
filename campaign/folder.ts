/** Files of a campaign that survive whatever ends it: whole or not there at all. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { whyUnwritable } from '../targets/file-errors.js';

/** A file could not be written. The message says which and why; what it would have held is in `content`. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  constructor(
    readonly path: string,
    readonly content: string,
    cause: unknown,
  ) {
    super(`${path} cannot be written: ${whyUnwritable(cause)}`);
  }
}

/** @throws Error where a file has the name of what must be a folder */
export function expectFolder(path: string): void {
  if (!statSync(path).isDirectory()) throw new Error(`${path} is a file, and no folder`);
}

/**
 * Makes a folder and those above it, one after the other: node's recursive way never ends where the system says that there can be
 * no such place, as below /proc. @throws Error
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) {
    expectFolder(path);
    return;
  }
  makeFolder(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Somebody else may have been faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

let temporaries = 0;

/** Writes a file so that nobody ever sees half of it. @throws StorageError */
export function writeWhole(path: string, content: string, mode = 0o644): void {
  const temporary = join(dirname(path), `.${process.pid}-${++temporaries}.tmp`);
  try {
    makeFolder(dirname(path));
    const file = openSync(temporary, 'w', mode);
    try {
      writeAll(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    sweep(temporary);
    throw new StorageError(path, content, error);
  }
}

/** Removes what was begun; that it cannot be done says nothing new. */
function sweep(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // The folder is gone, or was never one.
  }
}

/** Removes what writers that were killed left behind in a folder. */
export function sweepTemporaries(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) if (/^\.\d+-\d+\.tmp/.test(name)) sweep(join(folder, name));
}

export interface FolderFile {
  readonly name: string;
  readonly content: string;
  readonly executable?: true;
}

/** Writes a folder with its files; an older one of that name is replaced. @throws StorageError */
export function writeFolder(path: string, files: readonly FolderFile[]): void {
  const temporary = join(dirname(path), `.${process.pid}-${++temporaries}.tmp`);
  try {
    makeFolder(temporary);
    for (const { name, content, executable } of files) {
      writeWhole(join(temporary, name), content, executable ? 0o755 : 0o644);
    }
    if (existsSync(path)) {
      const old = `${temporary}.old`;
      renameSync(path, old);
      renameSync(temporary, path);
      rmSync(old, { recursive: true, force: true });
    } else {
      renameSync(temporary, path);
    }
  } catch (error) {
    sweep(temporary);
    if (error instanceof StorageError) throw error;
    throw new StorageError(path, files[0]?.content ?? '', error);
  }
}

/** A log of one JSON object a line, to which lines are only ever added. */
export class Log {
  private constructor(
    readonly path: string,
    private readonly file: number,
    /** What stood in it when it was opened. */
    readonly before: readonly Readonly<Record<string, unknown>>[],
  ) {}

  /** Opens or makes it. A last line without its end is what a killed writer left, and is cut off. @throws StorageError */
  static open(path: string): Log {
    try {
      makeFolder(dirname(path));
      const file = openSync(path, 'a+');
      const text = readFileSync(path);
      const whole = text.lastIndexOf(10) + 1;
      if (whole < text.length) ftruncateSync(file, whole);
      const lines = text.subarray(0, whole).toString('utf8').split('\n').slice(0, -1);
      return new Log(path, file, lines.flatMap(readLine));
    } catch (error) {
      throw new StorageError(path, '', error);
    }
  }

  /** @throws StorageError */
  add(line: Readonly<Record<string, unknown>>): void {
    const text = `${JSON.stringify(line)}\n`;
    try {
      writeAll(this.file, text);
    } catch (error) {
      throw new StorageError(this.path, text, error);
    }
  }

  close(): void {
    closeSync(this.file);
  }
}

/** A line that was damaged is passed over: the others are as good as ever. */
function readLine(text: string): Readonly<Record<string, unknown>>[] {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? [value as Readonly<Record<string, unknown>>] : [];
  } catch {
    return [];
  }
}

function writeAll(file: number, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}
