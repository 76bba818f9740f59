/** A command line that cannot be obeyed; the message is the one line that standard error gets. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
