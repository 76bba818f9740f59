/** A data channel broke the rules; `message` is the text of a real monitor where it has one (multifd.md §5). */
export class MultifdError extends Error {
  override readonly name = 'MultifdError';
  constructor(
    message: string,
    /** Number of the channel: its id once known, before that its place in the order of connection. */
    readonly channel: number,
    /** Offset in the channel's bytes. */
    readonly offset: number,
    /** True before the initial packet was accepted. */
    readonly initial: boolean,
  ) {
    super(message);
  }
}
