/**
 * What lines were read as lately. Clients say the same again and again, and who judges a conversation reads what the monitor
 * has read.
 */
import type { Message } from './value.js';

/** A message at the beginning of a text. */
export interface LineRead {
  readonly message: Message;
  /** Where to go on in the text. */
  readonly end: number;
  /** Nothing but white space follows. */
  readonly alone: boolean;
}

/** Characters of a line that is worth remembering. */
const longest = 512;
const mostLines = 4096;

export class LineMemory {
  private known = new Map<string, LineRead>();
  /** Those that were known before: what is asked for again stays. */
  private older = new Map<string, LineRead>();

  static fits(length: number): boolean {
    return length > 0 && length <= longest;
  }

  get(text: string): LineRead | undefined {
    const read = this.known.get(text);
    if (read !== undefined) return read;
    const older = this.older.get(text);
    if (older !== undefined) this.put(text, older);
    return older;
  }

  set(text: string, message: Message, end: number): void {
    this.put(text, { message, end, alone: /^\s*$/.test(text.slice(end)) });
  }

  private put(text: string, read: LineRead): void {
    if (this.known.size >= mostLines) {
      this.older = this.known;
      this.known = new Map();
    }
    this.known.set(text, read);
  }
}
