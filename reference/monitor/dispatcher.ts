import type { Clock } from '../../protocol/clock.js';
import type { Message } from './json/value.js';
import type { Reply } from './reply.js';

/** A session as the dispatcher sees it. */
export interface Requester {
  /** In-band requests that wait, oldest first. */
  readonly queue: Message[];
  execute(request: Message): Reply | Promise<Reply>;
  reply(reply: Reply): void;
  /** Reads on, now that a request is done. */
  pump(): void;
}

// Longest run of commands before sockets and timers get their turn, in milliseconds.
const slice = 5;

/**
 * Executes in-band requests one at a time, taking them from the sessions in rotation (QMP-CONN-09). Out-of-band requests
 * do not come here. A request counts as taken from its queue as soon as nothing else is being executed (QMP-D-06).
 */
export class Dispatcher {
  readonly #ready: Requester[] = [];
  #taken: { readonly requester: Requester; readonly request: Message } | undefined;
  #scheduled = false;
  #started = false;
  #stopped = false;

  /** @param afterReply runs after each reply has been written, before the next request. */
  constructor(
    private readonly clock: Clock,
    private readonly afterReply: () => void,
  ) {}

  /** Requests are executed from now on: the machine is ready. */
  start(): void {
    this.#started = true;
    this.#schedule();
  }

  /** Queues a request of `requester`. */
  submit(requester: Requester, request: Message): void {
    requester.queue.push(request);
    if (!this.#ready.includes(requester)) this.#ready.push(requester);
    this.#take();
  }

  /** Forgets what waits of a session that ended; what is being executed runs to its end (QMP-CONN-06). */
  forget(requester: Requester): void {
    requester.queue.length = 0;
    const index = this.#ready.indexOf(requester);
    if (index >= 0) this.#ready.splice(index, 1);
  }

  /** Nothing is executed any more; a reply that is due still goes out (QMP-EVT-14). */
  stop(): void {
    this.#stopped = true;
    this.#ready.length = 0;
  }

  #take(): void {
    if (this.#taken || this.#stopped) return;
    const requester = this.#ready.shift();
    const request = requester?.queue.shift();
    if (requester === undefined || request === undefined) return;
    if (requester.queue.length > 0) this.#ready.push(requester);
    this.#taken = { requester, request };
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || !this.#started || !this.#taken) return;
    this.#scheduled = true;
    this.clock.soon(() => this.#run());
  }

  #run(): void {
    const end = this.clock.now() + slice;
    while (this.#taken && !this.#stopped) {
      if (this.clock.now() > end) {
        this.clock.soon(() => this.#run());
        return;
      }
      const { requester, request } = this.#taken;
      const reply = requester.execute(request);
      if (reply instanceof Promise) {
        void reply.then((late) => {
          this.#finish(requester, late);
          this.#run();
        });
        return;
      }
      this.#finish(requester, reply);
    }
    this.#scheduled = false;
  }

  #finish(requester: Requester, reply: Reply): void {
    requester.reply(reply);
    this.#taken = undefined;
    this.afterReply();
    this.#take();
    requester.pump();
  }
}
