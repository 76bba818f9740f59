/**
 * Sits between any client and any monitor, passes every byte through unchanged and in its pieces, and judges what passes.
 * Judging happens beside the relay: bytes are forwarded first.
 */

import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { type Address, formatAddress, listenAt, openSocket } from '../protocol/address.js';
import { Framer } from '../protocol/framing.js';
import { type Entry, Transcript } from '../protocol/transcript.js';
import { Judge, type JudgedDivergence, type Judgement, type JudgeOptions } from './judge.js';

export interface ProxyOptions {
  readonly listen: Address;
  readonly connect: Address;
  readonly judge: JudgeOptions;
  /** Called for each divergence the moment it is seen. */
  readonly onDivergence?: (divergence: JudgedDivergence) => void;
  /** Called for what goes wrong with a connection. */
  readonly onFault?: (text: string) => void;
}

/** Entries judged in one go, between two looks at the sockets. */
const slice = 4;
/** Judged entries that are kept: more than an explanation shows, and a proxy may run for days. */
const kept = 5_000;

export class JudgingProxy {
  readonly transcript: Transcript;
  private readonly judge: Judge;
  private readonly sockets = new Set<Socket>();
  private clients = 0;
  private waiting: Entry[] = [];
  /** How many of those are judged already. */
  private taken = 0;
  private scheduled = false;

  private constructor(
    private readonly server: Server,
    private readonly options: ProxyOptions,
  ) {
    this.transcript = new Transcript({ target: formatAddress(options.connect), dialect: options.judge.dialect.name });
    this.judge = new Judge(options.judge);
    this.transcript.follow((entry) => this.queue(entry));
    server.on('connection', (client: Socket) => void this.relay(client));
  }

  /** Begins to listen. @throws ListenError */
  static async open(options: ProxyOptions): Promise<JudgingProxy> {
    const server = createServer({ allowHalfOpen: true });
    const proxy = new JudgingProxy(server, options);
    await listenAt(server, options.listen);
    return proxy;
  }

  get judgement(): Judgement {
    this.catchUp(Number.POSITIVE_INFINITY);
    return this.judge.judgement;
  }

  /** Relaying comes first: judging waits until the event loop has nothing to forward. */
  private queue(entry: Entry): void {
    this.waiting.push(entry);
    if (!this.scheduled) this.reschedule();
  }

  private reschedule(): void {
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.catchUp(slice);
      if (this.backlog > 0) this.reschedule();
    });
  }

  private get backlog(): number {
    return this.waiting.length - this.taken;
  }

  private catchUp(most: number): void {
    const batch = this.waiting.slice(this.taken, this.taken + most);
    this.taken += batch.length;
    // Half of it in one go: to move a long backlog up for every few entries would take the square of its length.
    if (2 * this.taken >= this.waiting.length) {
      this.waiting = this.waiting.slice(this.taken);
      this.taken = 0;
    }
    for (const entry of batch) {
      const divergence = this.judge.feed(entry);
      if (divergence !== undefined) this.options.onDivergence?.(divergence);
    }
    if (this.transcript.entries.length > 2 * kept + this.backlog) this.forget();
  }

  private forget(): void {
    const { divergence } = this.judge.judgement;
    const judged = this.transcript.footer.entries - this.backlog;
    if (divergence === undefined) this.transcript.keepOnly(judged - kept, Number.POSITIVE_INFINITY);
    else this.transcript.keepOnly(divergence.entry - kept, divergence.entry + kept);
  }

  private async relay(client: Socket): Promise<void> {
    // The first client is the one whose order of messages counts; later ones are further monitors' clients to the judge.
    const at = this.clients++ === 0 ? 'monitor' : `monitor#${this.clients}`;
    client.setNoDelay(true);
    client.on('error', () => undefined);
    client.pause();
    this.sockets.add(client);
    let monitor: Socket;
    try {
      monitor = await openSocket(this.options.connect, 5000);
    } catch (error) {
      this.options.onFault?.((error as Error).message);
      client.destroy();
      this.sockets.delete(client);
      return;
    }
    // The relay has ended meanwhile: a monitor must not be left with a client that is gone.
    if (client.destroyed) {
      monitor.destroy();
      return;
    }
    monitor.setNoDelay(true);
    this.sockets.add(monitor);
    monitor.on('error', () => undefined);
    this.transcript.add(at, 'connected', formatAddress(this.options.connect));
    const framer = new Framer();
    this.forward(client, monitor, (chunk) => this.transcript.add(at, 'sent', chunk.toString('latin1')));
    this.forward(monitor, client, (chunk) => {
      for (const frame of framer.push(chunk)) this.transcript.add(at, 'received', frame.bytes.toString('latin1'));
    });
    let open = true;
    const ended = (kind: 'eof' | 'disconnected') => {
      if (!open) return;
      open = false;
      this.transcript.add(at, kind, '');
    };
    monitor.once('end', () => ended('eof'));
    monitor.once('close', () => {
      ended('eof');
      client.destroy();
      this.sockets.delete(monitor);
    });
    client.once('close', () => {
      ended('disconnected');
      monitor.destroy();
      this.sockets.delete(client);
    });
    client.resume();
  }

  private forward(from: Socket, to: Socket, look: (chunk: Buffer) => void): void {
    from.on('data', (chunk: Buffer) => {
      if (!to.write(chunk)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
      look(chunk);
    });
    from.on('end', () => to.end());
  }

  /** Ends the relay; connections are cut. */
  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
    if (this.options.listen.kind === 'unix') rmSync(this.options.listen.path, { force: true });
  }
}
