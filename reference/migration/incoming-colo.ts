import { type ColoMessageName, encodeColoMessage } from '../stream/colo-messages.js';
import type { RamLoader } from '../stream/ram-loader.js';
import { StreamError } from '../stream/stream-error.js';
import type { StreamHandler } from '../stream/stream-handler.js';
import { StreamReader, type StreamReaderOptions } from '../stream/stream-reader.js';
import { type Channel, ChannelError } from './channel.js';
import { ColoCache } from './colo-cache.js';
import { ColoInbox } from './colo-inbox.js';
import { Ended, ended } from './ended.js';
import type { MigrationHost } from './host.js';
import type { SideWalker } from './walker.js';

/** Room for device state beside RAM in an announced buffer, in bytes. */
const deviceRoom = 64 * 1024 * 1024;

export interface SecondaryParts {
  readonly host: MigrationHost;
  readonly walker: SideWalker;
  readonly channel: Channel;
  /** Puts pages into the guest's RAM. */
  readonly loader: RamLoader;
  /** As for the stream that led here, with the state that its reader left. */
  readonly reader: StreamReaderOptions;
}

/** The secondary of COLO: loads checkpoint after checkpoint until the failover (state-machine.md §4.5). */
export class Secondary {
  readonly #inbox: ColoInbox;
  readonly #cache: ColoCache | undefined;
  #wake: (() => void) | undefined;
  #stopped = false;

  /** To be made before the guest runs. */
  constructor(private readonly parts: SecondaryParts) {
    this.#inbox = new ColoInbox(
      () => this.#wake?.(),
      async () => {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#look();
      },
    );
    // A guest that waits in `inmigrate` leaves its RAM alone.
    if (parts.walker.rules.coloSecondaryRuns) this.#cache = new ColoCache(parts.host.ram);
  }

  /** Says that checkpoints may come, and takes them in the background. */
  start(): void {
    this.#run().catch((error: unknown) => {
      const { host, walker, channel } = this.parts;
      if (this.#stopped || error instanceof Ended) return;
      if (error instanceof StreamError) for (const line of [...error.lines, error.failure]) host.log(line);
      else if (error instanceof ChannelError) host.log(error.reason);
      else throw error;
      walker.step('channel-error');
      channel.destroy();
    });
  }

  push(chunk: Buffer): void {
    if (!this.#stopped) this.#inbox.push(chunk);
  }

  /** The channel has no more bytes. */
  end(): void {
    this.#inbox.end();
  }

  /** Failover, or the end of the process: takes no more checkpoints. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#cache?.close();
    this.#wake?.();
  }

  async #run(): Promise<never> {
    this.#send('checkpoint-ready');
    for (;;) {
      await this.#inbox.expect('checkpoint-request');
      await this.#checkpoint();
    }
  }

  async #checkpoint(): Promise<void> {
    const { walker, host } = this.parts;
    if (this.#cache !== undefined) walker.step('checkpoint');
    this.#send('checkpoint-reply');
    await this.#inbox.expect('vmstate-send');
    // RAM comes first and by itself where the announced buffer is for the devices alone.
    if (!host.dialect.stream.coloSection) await this.#ramItems();
    const { size = 0 } = await this.#inbox.expect('vmstate-size');
    const limit = host.ram.total * 1.25 + deviceRoom;
    if (size > limit) throw new ChannelError(`COLO state of ${size} bytes is larger than this guest can have`);
    const state = await this.#inbox.bytes(size);
    this.#send('vmstate-received');
    if (this.#cache === undefined) walker.step('checkpoint');
    this.#load(state);
    this.#cache?.apply();
    this.#send('vmstate-loaded');
    if (this.#cache !== undefined) walker.step('checkpoint-loaded');
  }

  async #ramItems(): Promise<void> {
    const reader = this.#reader(false);
    await this.#inbox.feed((chunk) => {
      reader.push(chunk);
      return reader.status === 'complete' ? reader.takeRest() : undefined;
    });
  }

  #load(state: Buffer): void {
    const reader = this.#reader(this.parts.host.dialect.stream.coloSection);
    reader.push(state);
    reader.end();
  }

  /** For a stream of its own, or for bare items up to their EOF. */
  #reader(whole: boolean): StreamReader {
    const { reader } = this.parts;
    const options = whole ? reader : { ...reader, header: false, configuration: false, vmdescription: false };
    return new StreamReader(options, this.#handler());
  }

  #handler(): StreamHandler {
    const target = this.#cache ?? this.parts.loader;
    return {
      message: (line) => this.parts.host.log(line),
      ramPage: (block, offset, kind, bytes, start, length) => {
        target.ramPage(block, offset, kind, bytes, start, length);
      },
    };
  }

  #send(name: ColoMessageName): void {
    this.parts.channel.post(encodeColoMessage({ name }));
  }

  #look(): void {
    if (this.#stopped) throw ended;
  }
}
