import type { StreamRules } from '../dialects/stream.js';
import type { GuestRam } from '../ram/guest-ram.js';
import { type ReturnPathMessage, ReturnPathReader } from '../stream/return-path-reader.js';
import type { Channel } from './channel.js';

/** Bytes kept of what comes behind SHUT: one COLO message is all that a right peer sends there. */
const longestRest = 4096;

/** How the return path came to its end. */
export type ReturnPathEnd = 'shut' | 'shut-error' | 'bad-message' | 'closed';

export interface ReturnPathEvents {
  readonly onMessage: (message: ReturnPathMessage) => void;
  /** A line for standard error. */
  readonly onProblem: (line: string) => void;
  /** Nothing more will come. */
  readonly onEnd: (end: ReturnPathEnd) => void;
  /** Outgoing status, for messages that are only right while recovering. */
  readonly status: () => string;
}

/** The source's end of the return path: reads messages until SHUT, an error or the end of the connection. */
export class ReturnPath {
  #end: ReturnPathEnd | undefined;
  #problem: string | undefined;
  readonly #reader: ReturnPathReader;
  #behind: Buffer[] | undefined = [];
  #behindBytes = 0;

  constructor(
    channel: Channel,
    rules: StreamRules,
    ram: GuestRam,
    private readonly events: ReturnPathEvents,
  ) {
    const blocks = new Map(ram.blocks.map((block) => [block.name, { length: block.bytes.length }]));
    const recovering = () => ({ ok: events.status() === 'postcopy-recover', status: events.status() });
    this.#reader = new ReturnPathReader(rules, (message) => this.#message(message), { blocks, recovering });
    channel.read(
      (chunk) => {
        if (this.#end === undefined) this.#guard(() => this.#reader.push(Buffer.from(chunk)));
        else this.#keep(chunk);
        return true;
      },
      () => {
        this.#guard(() => this.#reader.end());
        this.#finish('closed');
      },
    );
  }

  get ended(): ReturnPathEnd | undefined {
    return this.#end;
  }

  /** Text of the message that ended it, for `error-desc` where the dialect shows it. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** What came behind SHUT until now; the caller reads the channel from here on. */
  takeRest(): Buffer {
    const rest = Buffer.concat([this.#reader.takeRest(), ...(this.#behind ?? [])]);
    this.#behind = undefined;
    return rest;
  }

  #keep(chunk: Buffer): void {
    this.#behindBytes += chunk.length;
    if (this.#behindBytes <= longestRest) this.#behind?.push(Buffer.from(chunk));
  }

  #message(message: ReturnPathMessage): void {
    if (this.#end !== undefined) return;
    if (message.type === 'SHUT' && message.value === 0) this.#finish('shut');
    else if (message.type !== 'SHUT') this.events.onMessage(message);
  }

  #guard(read: () => void): void {
    if (this.#end !== undefined) return;
    try {
      read();
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.#problem = text;
      this.events.onProblem(text);
      this.#finish(/Sibling indicated error/.test(text) ? 'shut-error' : 'bad-message');
    }
  }

  #finish(end: ReturnPathEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.events.onEnd(end);
  }
}
