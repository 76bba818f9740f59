/** Why a load fails, as the reason in the last line of a real destination (stream-format.md §10). */
export const reasons = {
  INV: { errno: 22, text: 'Invalid argument' },
  IO: { errno: 5, text: 'Input/output error' },
  SUP: { errno: 95, text: 'Operation not supported' },
  PERM: { errno: 1, text: 'Operation not permitted' },
  RANGE: { errno: 34, text: 'Numerical result out of range' },
  AGAIN: { errno: 11, text: 'Resource temporarily unavailable' },
  NOENT: { errno: 2, text: 'No such file or directory' },
  EXIST: { errno: 17, text: 'File exists' },
} as const;
export type Reason = keyof typeof reasons;

export interface StreamErrorDetails {
  /** Byte offset in the stream of what is wrong; filled in by the reader when absent. */
  readonly offset?: number;
  /** What was being read, for example `machine name`. */
  readonly field: string;
  readonly expected?: string;
  readonly got?: string;
  /** What a real destination prints before the last line, each without the program's name. */
  readonly lines?: readonly string[];
}

/** The stream breaks the format, or does not fit the receiving machine. */
export class StreamError extends Error {
  override readonly name = 'StreamError';
  /** Byte offset in the stream, or -1 while unknown. */
  offset: number;
  /** idstr of the section, name of the command or `header`, `configuration`, `item`; empty while unknown. */
  section = '';
  readonly field: string;
  readonly expected: string | undefined;
  readonly got: string | undefined;
  /** Lines that a real destination prints before {@link failure}. */
  readonly lines: string[];

  constructor(
    readonly reason: Reason,
    details: StreamErrorDetails,
  ) {
    super();
    this.offset = details.offset ?? -1;
    this.field = details.field;
    this.expected = details.expected;
    this.got = details.got;
    this.lines = [...(details.lines ?? [])];
    // A getter, because the reader adds the place after a loader has thrown.
    Object.defineProperty(this, 'message', { get: () => this.#describe(), configurable: true });
  }

  /** The number behind the reason, positive. */
  get errno(): number {
    return reasons[this.reason].errno;
  }

  /** The line that ends the load of a precopy stream. */
  get failure(): string {
    return `load of migration failed: ${reasons[this.reason].text}`;
  }

  #describe(): string {
    const where = `offset ${this.offset < 0 ? 'unknown' : `0x${this.offset.toString(16)}`}`;
    const section = this.section === '' ? '' : `${this.section}: `;
    const expected = this.expected === undefined ? '' : `: expected ${this.expected}`;
    const got = this.got === undefined ? '' : `${this.expected === undefined ? ':' : ','} got ${this.got}`;
    return `${where}: ${section}${this.field}${expected}${got} (${reasons[this.reason].text})`;
  }
}
