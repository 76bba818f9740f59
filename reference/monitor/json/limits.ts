import { maxTokenBytes } from './lexer.js';

/** What one message may hold (qmp-protocol.md §7.5). A test may lower them to reach the edges quickly. */
export interface Limits {
  /** Sum of open braces and brackets (QMP-LIM-01). */
  readonly nesting: number;
  /** Tokens, commas and colons included (QMP-LIM-04). */
  readonly tokens: number;
  /** Bytes of one token, and of all tokens of a message (QMP-LIM-05). */
  readonly tokenBytes: number;
}

export const limits: Limits = { nesting: 1024, tokens: 2 * 1024 * 1024, tokenBytes: maxTokenBytes };
