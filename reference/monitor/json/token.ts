/** Kinds of token, as small integers so that a transition table can hold them. */
export const Token = {
  leftBrace: 1,
  rightBrace: 2,
  leftBracket: 3,
  rightBracket: 4,
  colon: 5,
  comma: 6,
  string: 7,
  integer: 8,
  float: 9,
  word: 10,
  /** A relic of an internal template syntax; never valid (QMP-PARSE-07). */
  directive: 11,
  /** Bytes that no token starts or goes on with. */
  error: 12,
  /** A token longer than the limit (QMP-LIM-05). */
  tooLong: 13,
} as const;
