/** Our own end of a destination's channel: we are the source, and write what we like. */
import { connect, type Socket } from 'node:net';
import type { Trial } from '../../oracle/trial.js';
import { hostClock } from '../../protocol/clock.js';
import { ConnectError, DeadlinePassed } from '../../protocol/errors.js';
import { afterFairTime } from '../../protocol/fair-time.js';
import { encodeGlobalState } from '../../reference/stream/device-layout.js';
import { type ReturnPathMessage, ReturnPathReader } from '../../reference/stream/return-path-reader.js';
import { StreamWriter } from '../../reference/stream/stream-writer.js';
import { needsOurMachine } from '../../targets/machine.js';

/** MiB of RAM that destinations are started with here: as little as the machine takes without complaint. */
export const memory = 16;
/** The one RAM block of the machine that targets are started with. */
export const block = { name: 'ram', length: memory << 20 } as const;

const magic = Buffer.from('QEVM');
/** Section ids are the sender's choice. */
const sections = { ram: 40, globalstate: 41 } as const;

export class Feed {
  /** What the destination sent back. */
  returned = Buffer.alloc(0);
  closed = false;
  /** Why the rest of what came back cannot be read. */
  private problem: string | undefined;
  readonly writer: StreamWriter;
  /** Bytes sent ahead, with which what is written next begins. */
  private led = 0;
  private readonly waiters = new Set<() => void>();

  private constructor(
    private readonly t: Trial,
    private readonly socket: Socket,
    private readonly name: string,
  ) {
    this.writer = new StreamWriter(t.dialect.stream);
    socket.on('data', (chunk: Buffer) => {
      this.returned = Buffer.concat([this.returned, chunk]);
      this.wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
      this.tell('closed');
      this.wake();
    });
    t.atEnd(async () => this.close());
  }

  /** Connects to a listening destination. @throws ConnectError; NotOffered where it could not load what we send */
  static open(t: Trial, path: string, name = 'feed'): Promise<Feed> {
    needsOurMachine(t.facts);
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once('connect', () => {
        const feed = new Feed(t, socket, name);
        feed.tell(`connected to ${path}`);
        resolve(feed);
      });
      socket.once('error', (error: NodeJS.ErrnoException) =>
        reject(new ConnectError(`unix:${path}`, error.code ?? '', error.message)),
      );
    });
  }

  private tell(fact: string): void {
    this.t.transcript.add(this.name, 'channel', fact);
  }

  private wake(): void {
    for (const waiter of [...this.waiters]) waiter();
  }

  /** What came back, as return-path messages, as far as it can be read. */
  get answers(): readonly ReturnPathMessage[] {
    const messages: ReturnPathMessage[] = [];
    const reader = new ReturnPathReader(this.t.dialect.stream, (message) => messages.push(message));
    this.problem = undefined;
    try {
      reader.push(this.returned);
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error);
    }
    return messages;
  }

  /** Waits for an answer of this type. @throws DeadlinePassed */
  async answer(type: ReturnPathMessage['type']): Promise<ReturnPathMessage> {
    const find = () => this.answers.find((message) => message.type === type);
    await this.until(`${type} on the return path`, () => find() !== undefined || this.problem !== undefined);
    const found = find();
    this.t.check(found !== undefined, `${type} on the return path`, this.problem ?? 'nothing');
    return found as ReturnPathMessage;
  }

  /**
   * Where a destination becomes active with the first bytes only: sends the magic number ahead. What is sent next is taken
   * to begin with it, and goes without.
   */
  leads(): void {
    if (!this.t.dialect.migration.activeWithBytes) return;
    this.socket.write(magic);
    this.tell(`sent ${magic.length} bytes: the magic number`);
    this.led = magic.length;
  }

  /** Sends what the writer has collected. */
  send(what = ''): void {
    const whole = this.writer.out.takeJoined();
    const ahead = Math.min(this.led, whole.length);
    const bytes = whole.subarray(ahead);
    this.led -= ahead;
    this.tell(`sent ${bytes.length} bytes${what === '' ? '' : `: ${what}`}`);
    if (this.socket.writable) this.socket.write(bytes);
  }

  /** Sends bytes as they are. */
  raw(bytes: Buffer): void {
    this.writer.out.bytes(bytes);
    this.send();
  }

  /** No more bytes will come. */
  finish(): void {
    this.socket.end();
  }

  close(): void {
    this.socket.destroy();
  }

  /** Waits until enough has come back, or the destination has closed. @throws DeadlinePassed */
  async until(awaited: string, holds: () => boolean, deadline = 5000): Promise<void> {
    if (holds()) return;
    await new Promise<void>((resolve, reject) => {
      const settle = () => {
        cancel();
        this.waiters.delete(waiter);
      };
      const waiter = () => {
        if (!holds()) return;
        settle();
        resolve();
      };
      const late = (length: number) => {
        settle();
        reject(new DeadlinePassed(awaited, length));
      };
      const cancel = afterFairTime(hostClock, deadline, late, this.t.starved);
      this.waiters.add(waiter);
    });
  }

  // --- parts of a stream ---------------------------------------------------------------------------------------------

  /** Magic, version and the name of the machine. */
  begin(): this {
    this.writer.header();
    this.writer.configuration('none');
    return this;
  }

  returnPath(): this {
    this.writer.command('OPEN_RETURN_PATH');
    return this;
  }

  /** Announces the RAM. */
  ramSetup(): this {
    this.writer.start(sections.ram, 'ram', 0, 4);
    this.writer.ram.setup([block]);
    this.writer.ram.eos();
    this.writer.footer();
    return this;
  }

  /** Some pages of zeros. */
  pages(...numbers: readonly number[]): this {
    this.writer.part(sections.ram);
    for (const number of numbers) this.writer.ram.zero(block, number * 4096);
    this.writer.ram.eos();
    this.writer.footer();
    return this;
  }

  ramEnd(): this {
    this.writer.end(sections.ram);
    this.writer.ram.eos();
    this.writer.footer();
    return this;
  }

  /** The run state of the source. */
  runState(name: string): this {
    this.writer.device(sections.globalstate, 'globalstate', 0, 1, encodeGlobalState(this.t.dialect.stream, name));
    return this;
  }

  /** The end mark and the description behind it. */
  end(): this {
    this.writer.eof();
    this.writer.vmdescription('{}');
    return this;
  }

  /** What a package of a switch to postcopy holds. */
  package(...commands: readonly ('POSTCOPY_LISTEN' | 'POSTCOPY_RUN')[]): this {
    const inner = new StreamWriter(this.t.dialect.stream);
    for (const command of commands) inner.command(command);
    this.writer.packaged(inner.out.takeJoined());
    return this;
  }

  /** Everything up to the switch to postcopy, with the whole RAM still to come. */
  postcopy(): this {
    this.begin().returnPath();
    this.writer.postcopyAdvise(4096);
    this.ramSetup();
    this.writer.postcopyDiscard(block.name, [{ start: 0, length: block.length }]);
    return this;
  }

  /** All of the RAM, as it must come after the switch. */
  rest(): this {
    this.writer.part(sections.ram);
    this.writer.ram.forgetBlock();
    for (let offset = 0; offset < block.length; offset += 4096) this.writer.ram.zero(block, offset);
    this.writer.ram.eos();
    this.writer.footer();
    return this.ramEnd();
  }
}
