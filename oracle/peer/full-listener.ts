/**
 * A unix listener that accepts nothing: the kernel's queue in front of it is full, so that whoever connects stays
 * connecting. Node accepts by itself as soon as its event loop turns, hence the listener lives in a thread whose loop
 * stands still until it is released; from then on that thread hands every connection on to another listener.
 */
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
const { parentPort } = require('node:worker_threads');
let end;
parentPort.on('message', (job) => {
  if (job === 'close') end();
  else serve(job);
});
function serve({ path, inner, backlog, words }) {
  let own = 0;
  const sockets = new Set();
  const kept = (socket) => {
    sockets.add(socket);
    return socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    kept(socket);
    const fillers = Atomics.load(words, 1);
    if (own++ < fillers) {
      socket.destroy();
      if (own === fillers) parentPort.postMessage('free');
      return;
    }
    const out = kept(connect({ path: inner, allowHalfOpen: true }));
    out.on('close', () => socket.destroy());
    socket.on('close', () => out.destroy());
    socket.pipe(out).pipe(socket);
  });
  end = () => {
    server.close(() => parentPort.postMessage('closed'));
    for (const socket of sockets) socket.destroy();
  };
  server.listen({ path, backlog }, () => {
    parentPort.postMessage('listening');
    Atomics.wait(words, 0, ${verb.wait});
    if (Atomics.load(words, 0) === ${verb.leave}) server.close();
  });
}
`;

/** Threads that have served, for the next ones: to start one costs as much as to start a program. */
const idle: Worker[] = [];
const mostIdle = 4;

function newThread(): Worker {
  const worker = new Worker(thread, { eval: true, execArgv: [] });
  // What goes wrong in it is heard by whoever waits for its word.
  worker.on('error', () => undefined);
  return worker;
}

/** Waits until a thread says `word`. @throws what went wrong in it before */
function says(worker: Worker, word: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const settled = (settle: () => void) => {
      worker.off('message', heard).off('error', failed).off('exit', gone);
      settle();
    };
    const heard = (said: unknown) => said === word && settled(resolve);
    const failed = (error: Error) => settled(() => reject(error));
    const gone = () => settled(() => reject(new Error(`the thread of a listener ended before it was ${word}`)));
    worker.on('message', heard).on('error', failed).on('exit', gone);
  });
}

export class FullListener {
  private readonly fillers: Socket[] = [];

  private constructor(
    private readonly worker: Worker,
    private readonly words: Int32Array,
  ) {}

  /** @param inner path of the listener that gets the connections after {@link release} */
  static async open(path: string, inner: string): Promise<FullListener> {
    const words = new Int32Array(new SharedArrayBuffer(8));
    const worker = idle.pop() ?? newThread();
    worker.ref();
    const listening = says(worker, 'listening');
    worker.postMessage({ path, inner, backlog, words });
    await listening;
    worker.unref();
    const listener = new FullListener(worker, words);
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
    const free = this.fillers.length > 0 ? says(this.worker, 'free') : undefined;
    this.wake(verb.accept);
    await free;
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

  /** Never throws. */
  async close(): Promise<void> {
    this.leave();
    const { worker } = this;
    try {
      worker.ref();
      const closed = says(worker, 'closed');
      worker.postMessage('close');
      await closed;
      worker.unref();
      if (idle.length < mostIdle) idle.push(worker);
      else await worker.terminate();
    } catch {
      // It has ended by itself.
    }
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
