/** The receiving side of a connection, and who it serves: one who goes on with it after another takes it over. */
import type { ByteStream } from './byte-stream.js';
import { Flood } from './flood.js';
import { type Frame, Framer } from './framing.js';
import { type JsonObject, stringifyJson } from './json.js';
import type { Received } from './message.js';

export interface WireUser {
  received(chunk: Buffer): void;
  /** The monitor has closed the connection, or it broke for the reason. */
  over(reason: string): void;
}

export class Wire {
  readonly framer = new Framer();
  readonly flood = new Flood();
  private user: WireUser | undefined;

  constructor(readonly stream: ByteStream) {
    stream.on('data', (chunk: Buffer) => this.user?.received(chunk));
    stream.on('end', () => this.user?.over(''));
    stream.on('close', () => this.user?.over(''));
    stream.on('error', (error) => this.user?.over(error.message));
  }

  /** From now on `user` hears of everything. */
  serves(user: WireUser): void {
    this.user = user;
  }
}

/** What was said until a connection was in command mode. */
export interface Opening {
  readonly greeting: Frame;
  /** The line that was sent. */
  readonly asked: string;
  readonly answer: Frame;
}

const frameOf = ({ text, before }: Received): Frame => ({ bytes: Buffer.from(text, 'latin1'), before });

/** The opening that these are; `undefined` where the connection did not begin with them and nothing else. */
export function openingOf(greeting: Received | undefined, answer: Received): Opening | undefined {
  if (greeting?.kind !== 'greeting' || answer.index !== 1 || answer.kind !== 'success') return undefined;
  const { id } = answer.value as JsonObject;
  const asked = `${stringifyJson({ execute: 'qmp_capabilities', id })}\n`;
  return { greeting: frameOf(greeting), asked, answer: frameOf(answer) };
}
