/**
 * A client's connection to one monitor: greeting, negotiation, ids, pipelining, out-of-band commands, events, raw bytes,
 * fences. Everything received is kept in order in {@link Session.log}; waiting is always for an observation and always has
 * a deadline.
 */
import { type Address, formatAddress, openSocket } from './address.js';
import type { ByteStream } from './byte-stream.js';
import { type Clock, hostClock } from './clock.js';
import { ConnectionNumbers, OwnIds } from './connection-numbers.js';
import { DeadlinePassed, Disconnected, NotQmp } from './errors.js';
import { afterFairTime, FairDeadline, type Starved } from './fair-time.js';
import type { FragmentPlan } from './fragments.js';
import type { Frame } from './framing.js';
import { type Arrival, type EventSearch, Inbox } from './inbox.js';
import { isObject, type JsonValue, stringifyJson } from './json.js';
import { answers, isReply, type Received } from './message.js';
import { RawSends } from './raw-sends.js';
import { SendingSide } from './sending-side.js';
import type { CommandOptions, SessionOptions } from './session-options.js';
import { Transcript } from './transcript.js';
import { Waiters } from './waiters.js';
import { type Opening, openingOf, Wire } from './wire.js';

export { ConnectionNumbers } from './connection-numbers.js';
export type { CommandOptions, SessionOptions } from './session-options.js';

const ofThisProcess = new ConnectionNumbers();

export class Session {
  /** Every message received on this connection. */
  readonly log: readonly Received[];
  /** True once the monitor has closed the connection, or it broke. */
  ended = false;
  transcript: Transcript;
  endpoint: string;
  deadline: number;

  private readonly ids: OwnIds;
  private readonly inbox: Inbox;
  private readonly clock: Clock;
  private readonly starved: Starved | undefined;
  private readonly rawSends = new RawSends();
  private negotiated = false;
  private readonly wire: Wire;
  /** How it came to command mode, where that was done without capabilities. */
  private opening: Opening | undefined;
  private readonly waiters = new Waiters();
  private readonly sending: SendingSide;

  private constructor(
    wire: Wire,
    readonly address: string,
    options: SessionOptions,
  ) {
    this.transcript = options.transcript ?? new Transcript();
    this.endpoint = options.endpoint ?? 'source';
    this.deadline = options.deadline ?? 5000;
    this.clock = options.clock ?? hostClock;
    this.starved = options.starved;
    this.sending = new SendingSide(wire.stream, this.clock, options.interval ?? 0, (bytes) => wire.flood.asked(bytes));
    this.ids = new OwnIds(options.numbers ?? ofThisProcess);
    this.inbox = new Inbox(this.ids, options.starting ?? false);
    this.log = this.inbox.log;
    this.transcript.add(this.endpoint, 'connected', address);
    this.wire = wire;
    wire.serves({ received: (chunk) => this.receive(chunk), over: (reason) => this.finish(reason) });
  }

  /**
   * Connects to a listening monitor. The greeting is awaited by {@link greeting} or {@link negotiate}, not here.
   * @throws ConnectError
   */
  static async connect(address: Address, options: SessionOptions = {}): Promise<Session> {
    const socket = await openSocket(address, options.deadline ?? 5000);
    return new Session(new Wire(socket), formatAddress(address), options);
  }

  /** A session over an open stream: a process's standard input and output, or an accepted connection. */
  static over(stream: ByteStream, address: string, options: SessionOptions = {}): Session {
    return new Session(new Wire(stream), address, options);
  }

  /**
   * A session that goes on with the connection of a former one, which is told as if it had begun now: greeting and negotiation
   * are those of the former. `undefined` where the former was not {@link orderly}, or negotiated capabilities; it is closed then.
   */
  static after(former: Session, options: SessionOptions = {}): Session | undefined {
    const opening = former.opening;
    if (opening === undefined || !former.orderly || former.partial.length > 0) {
      former.close();
      return undefined;
    }
    former.leave();
    const session = new Session(former.wire, former.address, options);
    session.hear(opening.greeting, { stale: false });
    session.transcript.add(session.endpoint, 'sent', opening.asked);
    session.hear(opening.answer, { stale: false });
    session.opening = opening;
    session.negotiated = true;
    return session;
  }

  // --- receiving -------------------------------------------------------------------------------------------------

  private receive(chunk: Buffer): void {
    const time = this.transcript.now();
    const frames = this.wire.framer.push(chunk);
    for (const frame of frames) this.hear(frame, { time });
    const { flood } = this.wire;
    if (flood.heard(chunk.length, frames.length)) {
      this.finish(flood.over ?? '');
      this.sending.destroy();
    }
    this.waiters.wake();
  }

  private hear(frame: Frame, arrival: Pick<Arrival, 'time' | 'stale'>): void {
    this.inbox.take(frame, { transcript: this.transcript, endpoint: this.endpoint, ...arrival });
  }

  private finish(reason: string): void {
    if (this.ended) return;
    this.ended = true;
    this.ids.close();
    const partial = this.wire.framer.partial;
    if (partial.length > 0) this.transcript.add(this.endpoint, 'received', partial.toString('latin1'));
    this.transcript.add(this.endpoint, 'eof', reason);
    this.waiters.wake();
  }

  /** White space received after the last message. */
  get trailing(): string {
    return this.wire.framer.trailing;
  }

  /** Bytes of a message that has begun and not ended. */
  get partial(): Buffer {
    return this.wire.framer.partial;
  }

  /**
   * Waits until `find` returns something other than `undefined`; it is called now and after everything received.
   * @param awaited what is waited for, in words, for the error; a function where they need not be found unless it comes to that
   * @throws DeadlinePassed, Disconnected
   */
  until<T>(awaited: string | (() => string), find: () => T | undefined, deadline: number = this.deadline): Promise<T> {
    const words = () => (typeof awaited === 'string' ? awaited : awaited());
    const now = find();
    if (now !== undefined) return Promise.resolve(now);
    if (this.ended) return Promise.reject(new Disconnected(words(), this.wire.flood.over));
    const { backlog } = this.sending;
    const begin = (late: (error: Error) => void) => {
      const passed = (length: number) => {
        const error = new DeadlinePassed(words(), length - backlog);
        this.transcript.add(this.endpoint, 'note', error.message);
        late(error);
      };
      return afterFairTime(this.clock, deadline + backlog, passed, this.starved);
    };
    const lost = () => (this.ended ? new Disconnected(words(), this.wire.flood.over) : undefined);
    return this.waiters.wait({ find, lost, late: begin });
  }

  /** A deadline for what is asked for again and again. @param ms milliseconds */
  patience(ms = this.deadline): FairDeadline {
    return new FairDeadline(this.clock, ms, this.starved);
  }

  /** Position in the log from which later messages can be asked for. */
  mark(): number {
    return this.log.length;
  }

  /** Messages since a mark, without stale ones and events that nobody here knows. */
  since(mark: number): Received[] {
    return this.inbox.since(mark);
  }

  /** An event that this refuses may come at any time, so that {@link since} leaves it out. */
  set knownEvent(known: Inbox['knownEvent']) {
    this.inbox.knownEvent = known;
  }

  /** The `count`-th next message after a mark and all before it. @throws DeadlinePassed, Disconnected */
  take(mark: number, count: number, awaited: string, deadline?: number): Promise<Received[]> {
    const find = () => {
      const messages = this.since(mark);
      return messages.length >= count ? messages.slice(0, count) : undefined;
    };
    return this.until(awaited, find, deadline);
  }

  /** The first event of this name after the mark (default: ever) that satisfies `test`. */
  event(name: string, options: EventSearch & { deadline?: number } = {}): Promise<Received> {
    return this.until(`event ${name}`, () => this.inbox.event(name, options), options.deadline);
  }

  // --- greeting and negotiation ----------------------------------------------------------------------------------

  /** The greeting. @throws NotQmp when something else comes first, DeadlinePassed, Disconnected */
  async greeting(deadline?: number): Promise<Received> {
    const find = () => this.log.find((message) => !message.stale);
    let first: Received;
    try {
      first = await this.until('greeting', find, deadline);
    } catch (error) {
      const partial = this.partial.toString('latin1');
      if (partial !== '' || error instanceof Disconnected) throw new NotQmp(this.address, partial);
      throw error;
    }
    if (first.kind !== 'greeting') throw new NotQmp(this.address, first.text);
    return first;
  }

  /** Waits for the greeting and enters command mode, with the given capabilities enabled. Returns the reply. */
  async negotiate(enable?: readonly string[]): Promise<Received> {
    await this.greeting();
    const reply = await this.command('qmp_capabilities', enable === undefined ? undefined : { enable });
    this.negotiated ||= reply.kind === 'success';
    if (enable === undefined) this.opening ??= openingOf(this.log[0], reply);
    return reply;
  }

  /** It is in command mode, and what was sent were whole messages, all of them answered: who comes next may go on with it. */
  get orderly(): boolean {
    // Where capabilities were negotiated, a fence tells nothing of what was sent out of band.
    return this.negotiated && !this.ended && this.rawSends.nothingLeft(this.opening !== undefined);
  }

  // --- sending ---------------------------------------------------------------------------------------------------

  /** An id that no other connection of this process uses. */
  freshId(): string {
    return this.ids.fresh();
  }

  /** Bytes of the caller's choice were sent: replies to them may have no id, also such as reach the next client (QMP-CONN-08). */
  get raw(): boolean {
    return this.rawSends.any;
  }

  /** Whether an id is one of {@link freshId}. */
  hasMade(id: string): boolean {
    return this.ids.has(id);
  }

  /** Sends bytes as they are. With a plan, each piece is handed to the kernel before the next one is. */
  async sendBytes(bytes: Buffer | string, plan?: FragmentPlan): Promise<void> {
    this.rawSends.bytes();
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    this.transcript.add(this.endpoint, 'sent', buffer.toString('latin1'));
    if (plan === undefined) this.sending.send(buffer);
    else await this.sending.sendInPieces(buffer, plan);
  }

  /**
   * Sends bytes past the stream, once everything before them is with the kernel.
   * @param put sends to the socket of this number and answers how many bytes went
   */
  async sendPast(bytes: Buffer, put: (socket: number, bytes: Buffer) => number): Promise<void> {
    this.rawSends.withDescriptors();
    this.transcript.add(this.endpoint, 'sent', bytes.toString('latin1'));
    await this.sending.sendPast(bytes, put);
  }

  /** The connection carries descriptors without a socket underneath. */
  get carries(): boolean {
    return this.sending.carries;
  }

  /** Sends bytes with descriptors over a connection that {@link carries} them. */
  async sendCarried(bytes: Buffer, descriptors: readonly number[]): Promise<void> {
    this.rawSends.withDescriptors();
    this.transcript.add(this.endpoint, 'sent', bytes.toString('latin1'));
    await this.sending.sendWith(bytes, descriptors);
  }

  /** Number of the socket underneath; undefined where there is none, or none any more. */
  get socket(): number | undefined {
    return this.sending.socket;
  }

  /** Sends one value as a line. */
  send(value: unknown): void {
    const text = `${stringifyJson(value)}\n`;
    const line = Buffer.from(text, 'utf8');
    // Where a character is a byte, the transcript has the text itself.
    this.transcript.add(this.endpoint, 'sent', line.length === text.length ? text : line.toString('latin1'));
    this.sending.send(line);
  }

  /** Sends a command and returns its id, without waiting. */
  post(execute: string, args?: unknown, options: CommandOptions = {}): JsonValue {
    const id = options.id === undefined ? this.freshId() : options.id;
    this.send({
      [options.oob ? 'exec-oob' : 'execute']: execute,
      ...(args === undefined ? {} : { arguments: args }),
      id,
    });
    return id;
  }

  /** The reply that carries `id`. @throws DeadlinePassed, Disconnected */
  reply(id: JsonValue, options: { since?: number; deadline?: number; command?: string } = {}): Promise<Received> {
    const to = options.command === undefined ? '' : ` to ${options.command}`;
    const awaited = () => `reply${to} with id ${stringifyJson(id)}`;
    const find = this.inbox.seek(options.since ?? 0, (message) => answers(message, id) || this.lacksItsId(message));
    return this.until(awaited, find, options.deadline);
  }

  /**
   * A reply without an id, although everything that was sent had one. It is taken for the one that is awaited: the fault is
   * then found where ids are looked at, and not at every command by its deadline.
   */
  lacksItsId(message: Received): boolean {
    return !this.raw && isReply(message) && isObject(message.value) && !('id' in message.value);
  }

  /** Sends a command and waits for the reply that carries its id. */
  command(execute: string, args?: unknown, options: CommandOptions = {}): Promise<Received> {
    const since = this.mark();
    const id = this.post(execute, args, options);
    return this.reply(id, {
      since,
      command: execute,
      ...(options.deadline === undefined ? {} : { deadline: options.deadline }),
    });
  }

  /**
   * A harmless in-order query: when its reply is here, every reply to earlier in-band input is here too (QMP-REPLY-09).
   * Works in negotiation mode as well, where the reply is an error. Returns the messages since `since` (default: now)
   * without the fence's own reply.
   */
  async fence(since: number = this.mark(), deadline?: number): Promise<Received[]> {
    const from = this.mark();
    const answered = this.rawSends.fence();
    const id = this.post('query-version');
    const reply = await this.reply(id, {
      since: from,
      command: 'the fence query-version',
      ...(deadline === undefined ? {} : { deadline }),
    });
    answered();
    return this.since(since).filter((message) => message.index < reply.index);
  }

  /** Sends bytes, then a fence, and returns what the monitor said to the bytes. */
  async exchange(
    bytes: Buffer | string,
    options: { plan?: FragmentPlan; deadline?: number } = {},
  ): Promise<Received[]> {
    const mark = this.mark();
    await this.sendBytes(bytes, options.plan);
    return this.fence(mark, options.deadline);
  }

  /** Replies (not events) that came since a mark. */
  replies(mark = 0): Received[] {
    return this.since(mark).filter(isReply);
  }

  // --- ending ----------------------------------------------------------------------------------------------------

  /** Ends our direction; the monitor may still answer (QMP-TRANS-14). */
  halfClose(): void {
    this.negotiated = false;
    this.transcript.add(this.endpoint, 'disconnected', 'our direction only');
    this.sending.end();
  }

  /** Waits for the monitor to close. @throws DeadlinePassed */
  async eof(deadline?: number): Promise<void> {
    await this.until('end of file', () => (this.ended ? true : undefined), deadline);
  }

  /** Closes the connection; nothing further is received. */
  close(): void {
    this.leave();
    this.sending.destroy();
  }

  /** For now nobody uses it: what is heard until somebody goes on {@link after} it belongs to nobody. */
  rest(): void {
    this.transcript.add(this.endpoint, 'disconnected', '');
    this.transcript = new Transcript();
  }

  /** Nothing further is received here. */
  private leave(): void {
    if (!this.ended) {
      this.ended = true;
      this.ids.close();
      this.transcript.add(this.endpoint, 'disconnected', '');
    }
    this.waiters.wake();
  }
}
