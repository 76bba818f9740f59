/** Where answers of the return path go: the migration's own connection. */
export interface AnswerSink {
  /** Writes a message of a few bytes without waiting. */
  post(message: Buffer): void;
}
