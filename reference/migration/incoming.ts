import type { MigrationUri } from '../model/index.js';
import { PostcopyDestination } from '../postcopy/destination.js';
import { preferLargePages } from '../ram/large-pages.js';
import { decodeGlobalState, decodeTimer } from '../stream/device-layout.js';
import type { LocalMachine } from '../stream/local-machine.js';
import { RamLoader } from '../stream/ram-loader.js';
import type { ReceiverState } from '../stream/reader-context.js';
import { ReturnPathWriter } from '../stream/return-path-writer.js';
import { StreamError } from '../stream/stream-error.js';
import type { StreamCommand, StreamHandler } from '../stream/stream-handler.js';
import { StreamReader, type StreamReaderOptions } from '../stream/stream-reader.js';
import type { Channel } from './channel.js';
import type { MigrationHost, RunState } from './host.js';
import { Secondary } from './incoming-colo.js';
import { IncomingMultifd } from './incoming-multifd.js';
import { IncomingStorage } from './incoming-storage.js';
import type { Listener } from './listen.js';
import { hostNetwork } from './network.js';
import { multifdSettings, syncsAtFlush } from './outgoing-multifd.js';
import { Settings } from './settings.js';
import type { SideWalker } from './walker.js';

export interface IncomingDeps {
  readonly host: MigrationHost;
  readonly walker: SideWalker;
  readonly onMemberChange?: () => void;
}

/** The incoming side of a process (state-machine.md §4): listens, loads, and stays to be paused and recovered. */
export class Incoming {
  /** Text for `error-desc` after a failed load that did not end the process. */
  problem: string | undefined;
  readonly #settings: Settings;
  #listener: Listener | undefined;
  #channel: Channel | undefined;
  #reader: StreamReader | undefined;
  readonly #loader: RamLoader;
  #receiver: ReceiverState | undefined;
  #returnPath: ReturnPathWriter | undefined;
  readonly #postcopy: PostcopyDestination;
  #multifd: IncomingMultifd | undefined;
  #stored: RunState = 'running';
  #storage: IncomingStorage | undefined;
  #coloRequested = false;
  #secondary: Secondary | undefined;
  #closed = false;

  constructor(private readonly deps: IncomingDeps) {
    this.#settings = new Settings(() => deps.walker.state);
    this.#loader = new RamLoader(deps.host.ram, deps.host.property?.('decompress-error-check') ?? true);
    this.#postcopy = new PostcopyDestination({
      ram: deps.host.ram,
      loader: this.#loader,
      steps: deps.walker,
      measures: () => this.#settings.on('postcopy-blocktime'),
    });
  }

  /** `socket-address` of `query-migrate`, while listening. */
  get socketAddress(): readonly unknown[] | undefined {
    return this.#listener?.address === undefined ? undefined : [this.#listener.address];
  }

  /** Figures of `postcopy-blocktime` for `query-migrate`. */
  get blocktime(): Readonly<Record<string, unknown>> {
    return this.#postcopy.blocktime;
  }

  /** Opens the listener. @throws ListenError */
  async listen(
    uri: Exclude<MigrationUri, { kind: 'bad' | 'unknown' }>,
    takeFd: (name: string) => number | undefined,
  ): Promise<void> {
    const { host } = this.deps;
    await preferLargePages(host.ram);
    const listener = await (host.network ?? hostNetwork).listen(uri, host, takeFd, (channel) =>
      this.#connected(channel),
    );
    this.#listener?.close();
    if (this.#closed) listener.close();
    else this.#listener = listener;
  }

  /** `migrate-pause` at this end. */
  pause(): void {
    this.#channel?.destroy();
  }

  /** `x-colo-lost-heartbeat` at this end has been walked. */
  failover(): void {
    this.deps.host.clock.soon(() => {
      if (this.#closed || !this.deps.walker.can('failover')) return;
      this.#secondary?.stop();
      this.deps.walker.step('failover');
      this.#channel?.destroy();
    });
  }

  close(): void {
    this.#closed = true;
    this.#listener?.close();
    this.#listener = undefined;
    this.#secondary?.stop();
    this.#channel?.destroy();
    this.#closeChannels();
  }

  #closeChannels(): void {
    const multifd = this.#multifd;
    this.#multifd = undefined;
    multifd?.destroy();
  }

  #connected(channel: Channel): void {
    const { host, walker } = this.deps;
    if (this.#closed || !walker.can('accepted')) {
      channel.destroy();
      return;
    }
    const credentials = this.#settings.tlsCreds;
    if (credentials !== '') {
      host.log(`No TLS credentials with id '${credentials}'`);
      if (walker.can('connection-dropped')) {
        walker.step('connection-dropped');
        channel.destroy();
        return;
      }
    }
    const recovery = walker.state.in.status === 'postcopy-paused';
    const multifd = recovery ? undefined : multifdSettings(this.#settings, host.dialect);
    if (multifd !== undefined) {
      this.#multifd ??= new IncomingMultifd(host, this.#loader, multifd);
      // The migration begins when all channels are there and have said who they are (MIG-SM-I09).
      if (!this.#multifd.add(channel)) return;
      const begin = () => {
        if (!this.#closed && walker.can('accepted')) this.#accepted(this.#multifd?.main ?? channel, recovery);
      };
      this.#afterChannels(
        this.#multifd.receiver.ready(),
        begin,
        () => walker.can('accepted') && walker.step('accepted'),
      );
      return;
    }
    this.#accepted(channel, recovery);
  }

  /** The migration begins. */
  #accepted(main: Channel, recovery: boolean): void {
    const { walker } = this.deps;
    if (!walker.rules.listenerStaysOpen) this.#stopListening();
    this.#channel = main;
    walker.step('accepted');
    if (this.#settings.tlsCreds !== '') {
      this.#fail(new StreamError('INV', { field: 'TLS credentials', lines: [] }));
      return;
    }
    this.#read(main, recovery);
  }

  /** Goes on when the data channels have come to the same point; what they found wrong ends the load. */
  #afterChannels(point: Promise<void>, go: () => void, spoilt?: () => void): void {
    point.then(go, (error: unknown) => {
      spoilt?.();
      const line = error instanceof Error ? error.message : String(error);
      if (this.#multifd !== undefined) this.#fail(new StreamError('IO', { field: 'multifd channel', lines: [line] }));
    });
  }

  /** A synchronisation point of the main channel (multifd.md §4). */
  #syncChannels(): void {
    const reader = this.#reader;
    if (this.#multifd === undefined || reader === undefined) return;
    reader.pause();
    this.#afterChannels(this.#multifd.receiver.sync(), () => {
      this.#guard(reader, () => reader.resume());
      this.#channel?.resume();
    });
  }

  #stopListening(): void {
    this.#listener?.close();
    this.#listener = undefined;
  }

  #read(channel: Channel, recovery: boolean): void {
    const { host } = this.deps;
    const again = recovery && this.#receiver !== undefined ? { recovery: true, state: this.#receiver } : {};
    const options = { ...this.#readerOptions(), ...again };
    const handler = this.#handler(channel);
    const { wire } = host;
    const reader = new StreamReader(
      wire?.reader?.(options) ?? options,
      wire?.handler?.(handler, this.#loader) ?? handler,
    );
    this.#reader = reader;
    this.#receiver = reader.state;
    if (recovery) this.#returnPath = this.#answering();
    channel.read(
      (chunk) => {
        this.#secondary?.push(Buffer.from(chunk));
        this.#guard(reader, () => {
          reader.push(chunk);
          reader.detach();
        });
        return !reader.paused;
      },
      (error) => {
        if (error !== undefined) host.log(error.reason);
        this.#guard(reader, () => {
          reader.end();
        });
        this.#secondary?.end();
      },
    );
  }

  #answering(): ReturnPathWriter {
    const writer = new ReturnPathWriter();
    this.deps.host.wire?.returnPath?.(writer);
    return writer;
  }

  #readerOptions(): StreamReaderOptions {
    const { host } = this.deps;
    return {
      rules: host.dialect.stream,
      configuration: host.property?.('send-configuration') ?? true,
      footers: host.property?.('send-section-footer') ?? true,
      ...(host.adopted === undefined ? { local: this.#local() } : {}),
    };
  }

  /** What a stream is checked against. */
  #local(): LocalMachine {
    const { host, walker } = this.deps;
    return {
      machineName: host.machineName,
      blocks: host.ram.blocks.map(({ name, bytes }) => ({ name, length: bytes.length })),
      capabilities: new Set(walker.state.capabilities),
      knownCapabilities: host.dialect.migration.capabilities,
      drives: host.drives?.all.map(({ name }) => name) ?? [],
      nodes: host.drives?.all.map(({ name }) => name) ?? [],
      ...(host.uuid === undefined ? {} : { uuid: host.uuid }),
    };
  }

  /** What the reader found wrong ends the load, whoever fed it. */
  #guard(reader: StreamReader, read: () => void): void {
    if (this.#reader !== reader || reader.status !== 'reading') return;
    try {
      read();
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      this.#fail(error);
    }
  }

  #handler(channel: Channel): StreamHandler {
    const loader = this.#loader;
    const { host } = this.deps;
    const { lenientDirtyBitmaps } = host.dialect.stream;
    this.#storage ??= host.drives && new IncomingStorage(host.drives, lenientDirtyBitmaps, (line) => host.log(line));
    const storage = this.#storage;
    const adopted = host.adopted?.handler;
    return {
      message: (line) => this.deps.host.log(line),
      ramPage: (block, offset, kind, bytes, start, length) => {
        loader.ramPage(block, offset, kind, bytes, start, length);
      },
      // A planted fault hears of each page.
      ...(host.wire === undefined
        ? { pageRecords: (block, kind, bytes, start, end) => loader.pageRecords(block, kind, bytes, start, end) }
        : {}),
      ...(adopted ?? {}),
      ramSetupBlock: (entry) => {
        adopted?.ramSetupBlock?.(entry);
        loader.ramChanged();
      },
      device: (section, body) => {
        adopted?.device?.(section, body);
        if (section.idstr === 'timer' && 'guestTime' in host) host.guestTime = decodeTimer(body).clock / 1e6;
        if (section.idstr === 'globalstate') this.#stored = decodeGlobalState(body) as RunState;
        if (section.idstr === 'COLOState') this.#coloRequested = body[0] === 1;
      },
      command: (command) => this.#command(channel, command),
      blockChunk: (chunk) => storage?.blockChunk(chunk),
      bitmapChunk: (chunk) => storage?.bitmapChunk(chunk),
      ...(syncsAtFlush(host) ? { ramFlush: () => this.#syncChannels() } : { ramEos: () => this.#syncChannels() }),
      complete: () => {
        if (this.#multifd === undefined) this.#complete(channel);
        else {
          const finished = this.#multifd.receiver.finish(this.#returnPath !== undefined);
          this.#afterChannels(finished, () => this.#complete(channel));
        }
      },
    };
  }

  #command(channel: Channel, command: StreamCommand): void {
    if (command.name === 'OPEN_RETURN_PATH') this.#returnPath = this.#answering();
    else if (command.name === 'ENABLE_COLO') this.#coloRequested = true;
    else if (command.name === 'PING') {
      if (this.#returnPath !== undefined) channel.post(this.#returnPath.pong(command.value ?? 0));
    } else this.#postcopy.command(command, { writer: this.#returnPath, channel });
  }

  #complete(channel: Channel): void {
    const { walker } = this.deps;
    const { status } = walker.state.in;
    if (status === 'postcopy-recover') {
      // Only POSTCOPY_RESUME takes the load up again; what ends before it is no recovery (MIG-SM-I55).
      throw new StreamError('INV', { field: 'end of the stream', expected: 'POSTCOPY_RESUME first', lines: [] });
    }
    if (status === 'postcopy-active') {
      if (this.#returnPath !== undefined) channel.post(this.#returnPath.shut(0));
      walker.step('load-ended');
    } else {
      if (this.#returnPath !== undefined) channel.post(this.#returnPath.shut(0));
      if (this.#coloRequested) {
        this.#enterColo(channel);
        return;
      }
      walker.step(`loaded:${this.#stored}`);
    }
    this.#stopListening();
    channel.finish();
  }

  #enterColo(channel: Channel): void {
    const { host, walker } = this.deps;
    const reader = { ...this.#readerOptions(), ...(this.#receiver === undefined ? {} : { state: this.#receiver }) };
    this.#secondary = new Secondary({ host, walker, channel, loader: this.#loader, reader });
    walker.step('loaded-for-colo');
    this.#stopListening();
    this.#secondary.start();
  }

  /** A load error: what it means depends on how far postcopy has come (stream-format.md §9.3). */
  #fail(error: StreamError): void {
    const { host, walker } = this.deps;
    if (this.#closed) return;
    for (const line of error.lines) host.log(line);
    this.problem = error.lines.at(-1) ?? error.failure;
    if (walker.can('channel-error')) {
      walker.step('channel-error');
      this.#channel?.destroy();
      return;
    }
    if (walker.state.in.status === 'active') {
      host.log(error.failure);
      if (host.dialect.stream.shutOnFailure && this.#returnPath !== undefined) {
        this.#channel?.post(this.#returnPath.shut(1));
      }
    }
    this.#stopListening();
    walker.step('load-failed');
    this.#closeChannels();
    this.#channel?.finish();
  }
}
