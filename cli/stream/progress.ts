import { Writable } from 'node:stream';
import { Presets, SingleBar } from 'cli-progress';
import type { Io } from '../io.js';

const mebibyte = 1024 * 1024;

/** How far a command is, as one line on a terminal's standard error; nothing elsewhere. */
export class Progress {
  readonly #bar: SingleBar | undefined;
  #done = 0;

  /**
   * @param what stands before the bar
   * @param size bytes in all, where that is known
   */
  constructor(what: string, size: number | undefined, io: Io) {
    if (!io.err.isTTY) return;
    const amount = size === undefined ? '{value} MiB' : '{bar} {percentage} % of {total} MiB';
    const rest = size === undefined ? '' : ', {eta_formatted} left';
    this.#bar = new SingleBar(
      {
        format: `${what} ${amount}, {duration_formatted}${rest}`,
        stream: terminal(io),
        clearOnComplete: true,
        hideCursor: true,
        gracefulExit: true,
        barsize: 30,
        fps: 5,
        etaBuffer: 200,
        formatTime: duration,
      },
      Presets.shades_classic,
    );
    this.#bar.start(Math.ceil((size ?? 0) / mebibyte), 0);
  }

  add(bytes: number): void {
    this.#done += bytes;
    this.#bar?.update(Math.floor(this.#done / mebibyte));
  }

  /** The same chunks, counted as they pass. */
  async *through(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      yield chunk;
      this.add(chunk.length);
    }
  }

  /** Takes the line away. */
  clear(): void {
    this.#bar?.stop();
  }
}

/** The library tells in words that it does not know yet. */
function duration(seconds: number | string): string {
  if (typeof seconds === 'string' || !Number.isFinite(seconds)) return '?';
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
}

function terminal({ err }: Io): NodeJS.WritableStream {
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      err.write(chunk.toString());
      done();
    },
  });
  return Object.assign(stream, { isTTY: true, columns: err.columns() });
}
