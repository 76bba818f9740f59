import { turn } from '../../protocol/clock.js';
import type { MigrationUri } from '../model/index.js';
import { outputRoom } from '../ram/ram-memory.js';
import type { XbzrleCounters } from '../ram/xbzrle-counters.js';
import { XbzrleEncoder } from '../ram/xbzrle-encoder.js';
import { StreamWriter } from '../stream/stream-writer.js';
import { type Channel, ChannelError } from './channel.js';
import { ConnectError, type Connecting } from './connect.js';
import { writeDevices } from './device-state.js';
import { Ended, ended } from './ended.js';
import type { MigrationHost } from './host.js';
import { hostNetwork } from './network.js';
import { iterate } from './outgoing-iteration.js';
import { multifdSettings, OutgoingMultifd } from './outgoing-multifd.js';
import { Postcopy } from './outgoing-postcopy.js';
import { RamSender } from './outgoing-ram.js';
import { largestCache, setUp } from './outgoing-setup.js';
import { OutgoingStorage } from './outgoing-storage.js';
import { switchOver } from './outgoing-switchover.js';
import { PassCounter } from './pass-counter.js';
import { RamSource } from './ram-source.js';
import { ReturnPath } from './return-path.js';
import { Settings } from './settings.js';
import type { Statistics } from './statistics.js';
import type { SideWalker } from './walker.js';

export interface OutgoingDeps {
  readonly host: MigrationHost;
  readonly walker: SideWalker;
  readonly statistics: Statistics;
  readonly xbzrleCounters: XbzrleCounters;
}

/** One outgoing migration, from the accepted `migrate` to its last event (state-machine.md §3). */
export class Outgoing {
  readonly settings: Settings;
  readonly writer: StreamWriter;
  readonly source: RamSource;
  readonly ram: RamSender;
  readonly passes: PassCounter;
  readonly storage: OutgoingStorage;
  returnPath: ReturnPath | undefined;
  /** Text for `error-desc` where the dialect shows errors that are not of the connection. */
  problem: string | undefined;
  /** COLO: `x-checkpoint-delay` has been set since the last checkpoint. */
  checkpointRequested = false;
  /** When the guest was stopped for the switch-over, by the machine's clock; 0 before. */
  guestStopped = 0;
  #channel: Channel | undefined;
  #connecting: Connecting | undefined;
  #wakers = new Set<() => void>();
  #closed = false;
  /** Cancelled before it had a channel: the state is that of another migration by the time it comes to know. */
  #givenUp = false;
  /** Output that lies where the guest's RAM does. */
  #lent: Buffer | undefined;
  readonly #postcopy: Postcopy;

  constructor(readonly deps: OutgoingDeps) {
    const { host, walker, statistics } = deps;
    this.settings = new Settings(() => walker.state);
    const footers = host.property?.('send-section-footer') ?? true;
    this.#lent = host.ram.memory?.lendOutput();
    this.writer = new StreamWriter(host.dialect.stream, { chunkBytes: outputRoom, chunk: this.#lent, footers });
    host.wire?.writer?.(this.writer);
    const compress = this.settings.on('compress') ? this.settings.compressLevel : undefined;
    this.source = new RamSource(host.ram, this.writer, statistics, {
      xbzrle: this.#encoder(),
      compressLevel: compress,
      // What replaces a method of the writer must be asked for each page.
      runs: host.wire === undefined,
      zeroesBeside: host.dialect.stream.flushRecords,
    });
    host.wire?.source?.(this.source, statistics, this.writer);
    this.ram = new RamSender(this);
    this.passes = new PassCounter(host, this.source, statistics, deps.xbzrleCounters, this.settings);
    this.storage = new OutgoingStorage(host, this.settings, this.writer);
    this.#postcopy = new Postcopy(this);
  }

  /** The process ends: nothing may be announced any more. */
  get closed(): boolean {
    return this.#closed;
  }

  get walker(): SideWalker {
    return this.deps.walker;
  }

  get #status(): string {
    return this.walker.state.out.status;
  }

  /** Nothing of this migration may be walked any more. */
  get #isOver(): boolean {
    return this.#closed || this.#givenUp || this.#status === 'cancelled';
  }

  /** Begins in the background; every outcome is an event. `opened` is a channel that needs no connecting. */
  start(uri: MigrationUri, opened?: Channel): void {
    this.#channel = opened;
    // Not before the reply of `migrate`: nothing of a set-up may precede it (state-machine.md §3.1).
    this.deps.host.clock.soon(() => {
      void this.#run(uri);
    });
  }

  /** The second connection of a paused postcopy. */
  resume(uri: MigrationUri, opened?: Channel): void {
    this.#channel = opened;
    this.deps.host.clock.soon(() => {
      void this.#guarded(() => this.#postcopy.recover(uri));
    });
  }

  /** `migrate_cancel` has been walked: the engine now comes to its end (state-machine.md §3.7). */
  cancel(): void {
    // Where it is ignored (MIG-SM-O85), the secondary keeps its channel.
    if (this.#status === 'colo') return;
    if (this.#status === 'cancelled' && this.#channel === undefined) {
      this.#givenUp = true;
      this.#connecting?.abort();
    }
    // A blocked write to a child or a pipe cannot be interrupted (MIG-CMD-EXEC-04).
    if (this.#channel?.socket === true) this.#channel.destroy();
    this.ram.multifd?.destroy();
    this.wake();
  }

  /** `migrate-pause`: shuts the channel down under the engine. */
  pause(): void {
    this.#channel?.destroy();
    this.wake();
  }

  /** The bandwidth parameter that counts in postcopy has been set: bytes per second. */
  changePostcopyLimit(limit: bigint): void {
    this.#postcopy.changeLimit(limit);
  }

  /** Something that a waiting engine looks at has changed. */
  wake(): void {
    const wakers = [...this.#wakers];
    this.#wakers.clear();
    for (const waker of wakers) waker();
  }

  /** The process ends: nothing of this migration may remain, and nothing more is announced. */
  close(): void {
    this.#closed = true;
    this.#connecting?.abort();
    this.#channel?.destroy();
    this.ram.multifd?.destroy();
    this.wake();
  }

  /** Waits until woken, at most `ms` milliseconds. */
  wait(ms?: number): Promise<void> {
    return new Promise((resolve) => {
      let stop: (() => void) | undefined;
      const waker = () => {
        stop?.();
        this.#wakers.delete(waker);
        resolve();
      };
      this.#wakers.add(waker);
      if (ms !== undefined) stop = this.deps.host.clock.after(ms, waker);
    });
  }

  /** Leaves the engine if the migration has been cancelled or the process ends. */
  check(): void {
    if (this.#isOver || this.#status === 'cancelling') throw ended;
  }

  /** Sends what has been written; lets others run before it returns. */
  async flush(): Promise<void> {
    const buffers = this.writer.out.take();
    const bytes = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
    this.ram.sent(bytes);
    await this.channel.send(buffers);
    this.writer.out.recycle(buffers);
    // A write that the kernel takes at once would otherwise never let a command in.
    await turn(this.deps.host.clock);
    this.check();
  }

  get channel(): Channel {
    if (this.#channel === undefined) throw new ChannelError('Broken pipe');
    return this.#channel;
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#failed(error);
    } finally {
      if (this.#givenUp) this.#channel?.destroy();
      else if (this.#status !== 'postcopy-paused') this.#cleanUp();
    }
  }

  #cleanUp(): void {
    if (this.#status === 'colo') return;
    this.deps.host.ram.logging = false;
    this.storage.close();
    if (this.deps.statistics.throttle > 0) this.deps.host.throttleGuest?.(0);
    this.deps.statistics.throttle = 0;
    if (this.#lent !== undefined) this.deps.host.ram.memory?.giveBackOutput();
    this.#lent = undefined;
    if (this.#status === 'completed') {
      this.#channel?.finish();
      this.ram.multifd?.finish();
    } else {
      this.#channel?.destroy();
      this.ram.multifd?.destroy();
    }
  }

  #run(uri: MigrationUri): Promise<void> {
    return this.#guarded(async () => {
      if (this.#channel === undefined) await this.connect(uri);
      await this.#openChannels(uri);
      await setUp(this);
      if ((await iterate(this)) === 'postcopy') await this.#postcopy.run();
      else await switchOver(this);
    });
  }

  /** Connects and walks the step that follows. */
  async connect(uri: MigrationUri): Promise<void> {
    const { host, walker } = this.deps;
    if (uri.kind !== 'tcp' && uri.kind !== 'unix') throw new ConnectError('nothing to connect to');
    this.#connecting = (host.network ?? hostNetwork).connect(uri, walker.rules, host.clock);
    try {
      this.#channel = await this.#connecting.channel;
    } catch (error) {
      if (!(error instanceof ConnectError) || this.#isOver) throw ended;
      if (this.#status !== 'cancelling') host.log(error.message);
      walker.step('connect-failed', { error: error.message });
      throw ended;
    } finally {
      this.#connecting = undefined;
    }
    if (this.#isOver) throw ended;
    if (walker.state.out.tls) {
      const text = `No TLS credentials with id '${this.settings.tlsCreds}'`;
      host.log(text);
      walker.step(this.#status === 'cancelling' ? 'connect-failed' : 'tls-unusable', { error: text });
      throw ended;
    }
    // A cancel that waited for the connection ends with it, and with the pass of a set-up that still ran (C02).
    const cancelled = this.#status === 'cancelling';
    walker.step('connected');
    if (!cancelled) return;
    this.passes.count();
    walker.step('first-sync');
    walker.step('thread-ended');
    throw ended;
  }

  /** The data channels of multifd, beside the stream's own. */
  async #openChannels(uri: MigrationUri): Promise<void> {
    const { host, walker } = this.deps;
    const settings = multifdSettings(this.settings, host.dialect);
    if (settings === undefined) return;
    try {
      if (uri.kind !== 'tcp' && uri.kind !== 'unix') throw new Error('multifd is not supported by current protocol');
      this.ram.multifd = await OutgoingMultifd.connect(uri, host, settings);
      this.source.multifd = this.ram.multifd.sender;
    } catch (error) {
      this.check();
      this.problem = error instanceof Error ? error.message : String(error);
      host.log(this.problem);
      walker.step('channels-unusable');
      throw ended;
    }
    this.check();
  }

  #encoder(): XbzrleEncoder | undefined {
    if (!this.settings.on('xbzrle') || this.settings.xbzrleCacheSize > largestCache) return undefined;
    const encoder = new XbzrleEncoder(
      this.deps.host.ram,
      Number(this.settings.xbzrleCacheSize),
      this.deps.xbzrleCounters,
    );
    this.deps.host.wire?.xbzrle?.(encoder, this.deps.xbzrleCounters);
    return encoder;
  }

  /** Reads the return path of the present channel, if this migration has one. */
  openReturnPath(): void {
    const { host, walker } = this.deps;
    if (walker.state.out.returnPath !== 'open') return;
    const path = new ReturnPath(this.channel, host.dialect.stream, host.ram, {
      status: () => this.#status,
      onProblem: (line) => host.log(line),
      onMessage: (message) => this.#postcopy.message(message),
      onEnd: (end) => {
        if (this.returnPath !== path) return;
        const early = this.walker.state.out.phase !== 'final-wait';
        // Whoever stops reading too early closes the connection that both directions share.
        if (end !== 'closed' && early && !walker.rules.returnPathErrorsLate) this.channel.destroy();
        this.wake();
      },
    });
    this.returnPath = path;
  }

  /** The FULL sections; `runState` is what the guest was before it stopped. */
  writeDevices(runState: string, writer = this.writer): void {
    const { adopted, dialect, guestTime } = this.deps.host;
    if (adopted?.name === undefined) writeDevices(writer, dialect, runState, this.settings.on('x-colo'), guestTime);
    else adopted.write(writer, dialect.stream, runState);
  }

  /** Waits for `migrate-continue`, however long; a cancel ends the wait too. */
  async untilContinued(): Promise<void> {
    while (!this.walker.can('continued')) {
      await this.wait();
      this.check();
    }
  }

  /** Everything is written: waits for SHUT if there is a return path, then the migration is over. */
  async finish(written: string): Promise<void> {
    const { walker } = this;
    const path = this.returnPath;
    if (path === undefined) {
      this.settle();
      walker.step('completed');
    } else {
      walker.step(written);
      while (path.ended === undefined) {
        await this.wait();
        this.check();
      }
      if (path.ended === 'shut') this.settle();
      this.problem = path.problem;
      walker.step(this.#endLabel(path.ended));
    }
    if (walker.can('settled')) walker.step('settled');
  }

  #endLabel(end: NonNullable<ReturnPath['ended']>): string {
    if (end === 'shut') return 'peer-shut';
    if (this.#status === 'postcopy-active') {
      if (end === 'closed') return 'channel-error';
      return end === 'shut-error' || this.walker.rules.returnPathErrorsLate ? 'peer-shut-error' : 'channel-error';
    }
    return end === 'closed' ? 'peer-closed' : 'return-path-error';
  }

  /** Final numbers, so that they are there when the event comes. */
  settle(): void {
    this.deps.statistics.settle(this.ram.streamBytes, this.guestStopped);
  }

  /** The step that an error means in the present state. */
  #failed(error: unknown): void {
    if (this.#closed || this.#givenUp) return;
    const { walker, host } = this.deps;
    if (this.#status === 'cancelling') {
      if (walker.can('guest-restored')) walker.step('guest-restored');
      if (walker.can('thread-ended')) walker.step('thread-ended');
      return;
    }
    if (error instanceof Ended) return;
    if (!(error instanceof ChannelError)) throw error;
    this.problem = this.returnPath?.problem ?? `Unable to write to socket: ${error.reason}`;
    if (walker.can('first-sync')) {
      this.passes.count();
      walker.step('first-sync');
    }
    const labels = ['channel-error', 'set-up-failed', 'peer-closed'];
    const label = labels.find((one) => walker.can(one));
    if (label === undefined) return;
    host.log(this.problem);
    walker.step(label);
    if (walker.can('settled')) walker.step('settled');
  }
}
