/**
 * A unix listener that accepts nothing: the kernel's queue in front of it is full, so that whoever connects stays
 * connecting. Node accepts by itself as soon as its event loop turns, hence the listener lives in a thread whose loop
 * stands still until it is released; from then on that thread hands every connection on to another listener.
 */
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

/** The smallest queue that Node can ask for: 0 would mean its default of 511. */
const backlog = 1;
/** Far more connections than any kernel queues behind such a backlog. */
const mostFillers = 64;

/** First word: what the thread is to do; second word: how many connections are our own. */
const verb = { wait: 0, accept: 1, leave: 2 } as const;

// Text, not a file of its own: a thread made from a file would need the loader that this program happens to run under.
const thread = `
const { createServer, connect } = require('node:net');
const { parentPort, workerData } = require('node:worker_threads');
const { path, inner, backlog, words } = workerData;
let own = 0;
const server = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => {});
  const fillers = Atomics.load(words, 1);
  if (own++ < fillers) {
    socket.destroy();
    if (own === fillers) parentPort.postMessage('free');
    return;
  }
  const out = connect({ path: inner, allowHalfOpen: true });
  out.on('error', () => {});
  out.on('close', () => socket.destroy());
  socket.on('close', () => out.destroy());
  socket.pipe(out).pipe(socket);
});
server.listen({ path, backlog }, () => {
  parentPort.postMessage('listening');
  Atomics.wait(words, 0, ${verb.wait});
  if (Atomics.load(words, 0) === ${verb.leave}) server.close();
});
`;

export class FullListener {
  private readonly fillers: Socket[] = [];

  private constructor(
    private readonly worker: Worker,
    private readonly words: Int32Array,
  ) {}

  /** @param inner path of the listener that gets the connections after {@link release} */
  static async open(path: string, inner: string): Promise<FullListener> {
    const words = new Int32Array(new SharedArrayBuffer(8));
    const worker = new Worker(thread, { eval: true, execArgv: [], workerData: { path, inner, backlog, words } });
    worker.unref();
    const listener = new FullListener(worker, words);
    const failed = once(worker, 'error').then(([error]) => Promise.reject(error));
    await Promise.race([once(worker, 'message'), failed]);
    worker.on('error', () => undefined);
    chmodSync(path, 0o600);
    while (listener.fillers.length < mostFillers) {
      const filler = await enters(path);
      if (filler === undefined) break;
      listener.fillers.push(filler);
    }
    return listener;
  }

  /** Drops our own connections and lets all others in; resolves when there is room for more. */
  async release(): Promise<void> {
    if (Atomics.load(this.words, 0) !== verb.wait) return;
    const free = once(this.worker, 'message');
    this.wake(verb.accept);
    if (this.fillers.length > 0) await free;
  }

  /** Closes the listener: whoever is connecting is refused. */
  leave(): void {
    this.wake(verb.leave);
  }

  private wake(what: number): void {
    // The first word counts once: a thread that has been let go cannot be called back.
    if (Atomics.load(this.words, 0) === verb.wait) {
      Atomics.store(this.words, 1, this.fillers.length);
      Atomics.store(this.words, 0, what);
      Atomics.notify(this.words, 0);
    }
    for (const filler of this.fillers) filler.destroy();
  }

  async close(): Promise<void> {
    this.leave();
    await this.worker.terminate();
  }
}

/** A connection that has entered the queue; `undefined` when there is no room. */
function enters(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.unref();
    socket.once('connect', () => resolve(socket));
    socket.on('error', () => resolve(undefined));
  });
}
