/**
 * Cuts the byte stream of a monitor into messages: one top-level JSON value each, however it is spread over lines
 * (QMP-TRANS-06, QMP-TRANS-12) and reads. Looks only at brackets and strings; whether a frame is JSON is the parser's
 * business.
 */

export interface Frame {
  /** The bytes of the value, without surrounding white space. */
  readonly bytes: Buffer;
  /** White space between the previous frame and this one, `\r\n` from a conforming monitor (QMP-TRANS-05). */
  readonly before: string;
}

const quote = 0x22;
const backslash = 0x5c;

const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
const opens = (byte: number) => byte === 0x7b || byte === 0x5b;
const closes = (byte: number) => byte === 0x7d || byte === 0x5d;

export class Framer {
  private pieces: Buffer[] = [];
  private gap = '';
  private depth = 0;
  private inString = false;
  private escaped = false;
  /** Inside a frame that started with something other than a bracket: it ends with its line. */
  private loose = false;

  /** White space received after the last frame. */
  get trailing(): string {
    return this.gap;
  }

  /** Bytes of a frame that has begun and not ended. */
  get partial(): Buffer {
    return Buffer.concat(this.pieces);
  }

  /** Frames that `chunk` completes, in order. */
  push(chunk: Buffer): Frame[] {
    const frames: Frame[] = [];
    // Where the present frame begins in this chunk; -1 between frames.
    let start = this.pieces.length > 0 ? 0 : -1;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i] as number;
      if (start < 0) {
        if (isSpace(byte)) {
          const from = i;
          while (i + 1 < chunk.length && isSpace(chunk[i + 1] as number)) i++;
          this.gap += chunk.toString('latin1', from, i + 1);
          continue;
        }
        start = i;
        this.loose = !opens(byte);
        this.depth = 0;
      }
      if (this.loose) {
        if (byte === 0x0a) {
          const { bytes, before } = this.finish(chunk, start, i);
          const end = bytes.length - (bytes.at(-1) === 0x0d ? 1 : 0);
          frames.push({ bytes: bytes.subarray(0, end), before });
          start = -1;
          this.gap = end < bytes.length ? '\r\n' : '\n';
        }
      } else if (this.inString) {
        if (this.escaped) this.escaped = false;
        else if (byte === backslash) this.escaped = true;
        else if (byte === quote) this.inString = false;
      } else if (byte === quote) {
        this.inString = true;
      } else if (opens(byte)) {
        this.depth++;
      } else if (closes(byte) && --this.depth === 0) {
        frames.push(this.finish(chunk, start, i + 1));
        start = -1;
      }
    }
    if (start >= 0) this.pieces.push(chunk.subarray(start));
    return frames;
  }

  private finish(chunk: Buffer, start: number, end: number): Frame {
    const tail = chunk.subarray(start, end);
    const bytes = this.pieces.length === 0 ? tail : Buffer.concat([...this.pieces, tail]);
    const frame = { bytes, before: this.gap };
    this.pieces = [];
    this.gap = '';
    this.loose = false;
    return frame;
  }
}
