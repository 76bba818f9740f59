/** Notices a monitor that sends without end: whoever reads on comes to nothing else, and runs out of memory. */

/** Bytes that may come without being asked for. */
const unasked = 16 * 2 ** 20;
/** Bytes that may come for each that was sent: a short question may have a long answer. */
const each = 4096;
/** What a message costs at least: short ones fill the memory sooner. */
const least = 128;
const most = 2 ** 30;

export class Flood {
  private left = unasked;
  /** Why the connection is given up, once it is. */
  over: string | undefined;

  /** So many bytes were sent. */
  asked(bytes: number): void {
    this.left = Math.min(most, Math.max(this.left, unasked) + each * bytes);
  }

  /** So many bytes came, which completed so many messages; answers whether that is more than can be an answer. */
  heard(bytes: number, messages: number): boolean {
    this.left -= Math.max(bytes, least * messages);
    if (this.left < 0) this.over = 'the monitor sends without end, and the connection was given up';
    return this.over !== undefined;
  }
}
