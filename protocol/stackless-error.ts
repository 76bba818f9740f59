/**
 * An error that tells what somebody else did: where it was noticed says nothing, and to find that out costs more than all else
 * that is done about it.
 */
export class StacklessError extends Error {
  constructor(message?: string) {
    const frames = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = frames;
  }
}
