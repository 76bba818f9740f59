import type { Location } from './schema.js';

/** A fault in a schema text, with the place where it was found. The message starts with `file:line:column: `. */
export class QapiError extends Error {
  override readonly name = 'QapiError';
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based, in characters. */
  readonly column: number;

  constructor(
    location: Location,
    /** What is wrong, without the place. */
    readonly reason: string,
  ) {
    super(`${location.file}:${location.line}:${location.column}: ${reason}`);
    this.file = location.file;
    this.line = location.line;
    this.column = location.column;
  }
}
