/** What a lie is: a small change to a truthful conversation between a client and a monitor. */

import { isObject, type JsonObject, type JsonValue, stringifyJson } from '../../protocol/json.js';
import type { Piece } from '../../reference/monitor/talk-faults.js';

/** What a lie knows of the conversation, and what it may say on its own. */
export interface Talk {
  /** The command that the present reply answers, where it can be told. */
  readonly command: JsonObject | undefined;
  /** True after the monitor has accepted qmp_capabilities. */
  readonly negotiated: boolean;
  /** Number of commands without a reply, the one that is being answered not counted. */
  readonly waiting: number;
  /** True of a monitor that was started to wait for a migration. */
  readonly incoming: boolean;
  /** Which monitor of the process this is, from 0. */
  readonly monitor: number;
  /** How many clients this monitor has had, this one counted. */
  readonly client: number;
  /** Whatever the lie wants to remember of this connection. */
  readonly memory: Map<string, unknown>;
  /** The same for all connections. */
  readonly shared: Map<string, unknown>;
  /** Gives the monitor a command whose reply the client does not see. */
  ask(command: JsonObject): void;
  /** Calls back after so many milliseconds. */
  after(ms: number, callback: () => void): void;
  /** Says something to the client, now. */
  say(said: Said): void;
}

/** A message to the client: a value, or bytes as they are without the line end. */
export type Said = JsonObject | Buffer;

/** Changes the bytes of a migration in one direction, piece after piece. */
export type StreamChange = (chunk: Buffer) => Buffer;

export interface Lie {
  /** What is wrong with the monitor, in words. */
  readonly says: string;
  /** Nothing of it shows but to the requirement that it is bound to: where that does not apply, it is no lie. */
  readonly alone?: true;
  /** Changes a command on its way to the monitor; `undefined` keeps it from it. Present: every command is written anew. */
  readonly up?: (command: JsonObject, talk: Talk) => JsonObject | undefined;
  /** Changes a message of the monitor: what the client gets instead. The same object means the same bytes. */
  readonly down?: (message: JsonObject, talk: Talk) => readonly Said[];
  /** Changes the bytes that go to the client. */
  readonly bytes?: (bytes: Buffer) => Buffer;
  /** How the bytes of a message, each as one character, are written; default at once. */
  readonly write?: (text: string) => readonly Piece[];
  /** Changes the bytes of a client before anything else is done with them. */
  readonly heard?: (bytes: Buffer, talk: Talk) => Buffer;
  /** Leaves a client that has ended its side without what is still owed to it. */
  readonly leaves?: true;
  /** Changes the stream of a migration to a unix socket; called for each connection. */
  readonly stream?: () => StreamChange;
  /** Changes what comes back on it from the destination. */
  readonly back?: () => StreamChange;
  /** Changes the stream of a migration that arrives at a unix socket of this monitor. */
  readonly arriving?: () => StreamChange;
  /** Changes what this monitor answers to it. */
  readonly answering?: () => StreamChange;
  /** What a shell does once the monitor has ended, with its exit status in `$s`. */
  readonly exit?: string;
}

/** A value as a monitor writes it: one blank after colons and commas. */
export function spaced(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`;
  if (!isObject(value)) return stringifyJson(value);
  const members = Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}: ${spaced(member)}`);
  return `{${members.join(', ')}}`;
}

export const without = (object: JsonObject, ...names: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));

/** Timestamp of now, as an event has it. */
export const timestamp = (): JsonObject => {
  const now = Date.now();
  return { seconds: Math.floor(now / 1000), microseconds: (now % 1000) * 1000 };
};
