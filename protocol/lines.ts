/** Text files line by line: the text of one of hours would be longer than a string can be. */
import { readSync } from 'node:fs';

export interface Line {
  /** Without its end. */
  readonly text: string;
  /** It has an end: the last one of a file that was cut off has none. */
  readonly whole: boolean;
}

const lineEnd = 0x0a;
const pieceBytes = 2 ** 20;

/** The lines of what comes in pieces, wherever these part. */
export function* linesIn(pieces: Iterable<Buffer>): Generator<Line> {
  let begun: Buffer[] = [];
  for (const piece of pieces) {
    let from = 0;
    for (let end = piece.indexOf(lineEnd); end >= 0; end = piece.indexOf(lineEnd, from)) {
      const rest = piece.subarray(from, end);
      yield { text: (begun.length === 0 ? rest : Buffer.concat([...begun, rest])).toString('utf8'), whole: true };
      begun = [];
      from = end + 1;
    }
    if (from < piece.length) begun.push(piece.subarray(from));
  }
  if (begun.length > 0) yield { text: Buffer.concat(begun).toString('utf8'), whole: false };
}

/** What an open file holds from where it stands. @throws Error with the system's code */
export function* piecesOf(file: number): Generator<Buffer> {
  for (;;) {
    const piece = Buffer.allocUnsafe(pieceBytes);
    const length = readSync(file, piece);
    if (length === 0) return;
    yield piece.subarray(0, length);
  }
}
