/** Characters of standard error that a transcript has from its beginning, and from its end where there was more. */
const keptPart = 128 * 1024;

/** What a process writes to standard error, as lines of a transcript: of a flood its first part, and in the end its last. */
export class StandardError {
  #line = '';
  #told = 0;
  /** Lines of the last part, while there is one. */
  #last: string[] = [];
  #lastLength = 0;
  #leftOut = 0;

  constructor(
    private readonly tell: (line: string) => void,
    private readonly most = keptPart,
  ) {}

  hear(text: string): void {
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop() ?? '';
    for (const line of lines) this.#take(line);
    // A line without an end is told in pieces.
    for (; this.#line.length > this.most; this.#line = this.#line.slice(this.most)) {
      this.#take(this.#line.slice(0, this.most));
    }
  }

  /** There is a transcript that knows nothing of what was heard. */
  anew(): void {
    this.#told = 0;
    this.#forget();
  }

  /** The process has ended: nothing more comes. */
  end(): void {
    if (this.#line !== '') this.hear('\n');
    if (this.#leftOut > 0) this.tell(`(${this.#leftOut} lines of standard error are left out here)`);
    for (const line of this.#last) this.tell(line);
    this.#forget();
  }

  #forget(): void {
    this.#last = [];
    this.#lastLength = 0;
    this.#leftOut = 0;
  }

  #take(line: string): void {
    if (this.#told <= this.most) {
      this.#told += line.length + 1;
      this.tell(line);
      if (this.#told > this.most) this.tell('(standard error goes on: the last of it is told when the process ends)');
      return;
    }
    this.#last.push(line);
    this.#lastLength += line.length + 1;
    // Half of it in one go, so that a flood of short lines costs no more than its length.
    if (this.#lastLength <= 2 * this.most) return;
    let gone = 0;
    while (this.#lastLength > this.most) this.#lastLength -= (this.#last[gone++] as string).length + 1;
    this.#last.splice(0, gone);
    this.#leftOut += gone;
  }
}
