import type { Schema } from '../../qapi/schema.js';
import type { JsonObject } from './json/value.js';
import type { Reply } from './reply.js';

/** A conversation with one client, as planted faults see it. */
export interface Talk {
  readonly schema: Schema;
  /** Stands for the process: the same for all its clients. */
  readonly process: object;
  /** Name of the command that is carried out or answered; absent for greetings, events and replies to malformed input. */
  readonly command?: string;
  /** Whether that command came as `exec-oob`. */
  readonly oob?: boolean;
  /** What is remembered of this client. */
  readonly memory: Map<string, unknown>;
  /** Calls back after so many milliseconds. */
  after(ms: number, callback: () => void): void;
  /** What events that are raised now are stamped with. */
  stamp(): Readonly<Record<string, unknown>>;
  /** Says something more, now, unless the client has left. */
  say(message: Said): void;
}

/** A message, or its text without the line end. */
export type Said = Reply | string;

/** A part of what is written at once, so many milliseconds after what was written before; at once when absent. */
export interface Piece {
  readonly text: string;
  readonly after?: number;
}

/** Where planted faults reach into the conversation with a client. An honest monitor has none of this. */
export interface TalkFaults {
  /** What becomes of bytes that have arrived. */
  heard?(chunk: Buffer): Buffer;
  /** What becomes of a command, before its envelope and its arguments are checked. */
  asked?(request: JsonObject, talk: Talk): JsonObject;
  /** What is said in the place of a message. */
  said?(message: Reply, talk: Talk): readonly Said[];
  /** How a text, with its line end, is written. */
  written?(text: string): readonly Piece[];
}
