import { QapiError } from './errors.js';
import type { Location } from './schema.js';

/** One schema file: its text, and the translation from offsets to places that people can find. */
export class Source {
  #lineStarts: number[] | undefined;

  constructor(
    readonly file: string,
    readonly text: string,
  ) {}

  locate(offset: number): Location {
    this.#lineStarts ??= lineStarts(this.text);
    const starts = this.#lineStarts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { file: this.file, line: low + 1, column: offset - starts[low]! + 1 };
  }
}

/** A place in a source, cheap to carry about: line and column are worked out only when somebody asks. */
export interface Position {
  readonly source: Source;
  readonly offset: number;
}

export const locate = ({ source, offset }: Position): Location => source.locate(offset);

/** A location that is worked out when somebody looks at it. */
export class LazyLocation implements Location {
  readonly file: string;
  #found: Location | undefined;

  constructor(private readonly at: Position) {
    this.file = at.source.file;
  }

  get line(): number {
    return this.toJSON().line;
  }

  get column(): number {
    return this.toJSON().column;
  }

  toJSON(): Location {
    this.#found ??= locate(this.at);
    return this.#found;
  }
}

/** Refuses the schema. */
export function fail(at: Position, reason: string): never {
  throw new QapiError(locate(at), reason);
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
