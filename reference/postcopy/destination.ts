import type { GuestRam } from '../ram/guest-ram.js';
import type { RamLoader } from '../stream/ram-loader.js';
import type { ReturnPathWriter } from '../stream/return-path-writer.js';
import type { StreamCommand } from '../stream/stream-handler.js';
import type { AnswerSink } from './answer-sink.js';
import { PageRequests } from './page-requests.js';

/** Steps of the incoming side's model (state-machine.md §4). */
export interface IncomingSteps {
  can(label: string): boolean;
  step(label: string): void;
}

export interface PostcopyDestinationParts {
  readonly ram: GuestRam;
  readonly loader: RamLoader;
  readonly steps: IncomingSteps;
  /** Whether capability `postcopy-blocktime` is on now. */
  readonly measures: () => boolean;
}

/** Who asked, and how it is answered. */
export interface AnswerPath {
  /** Undefined where the source has not opened a return path. */
  readonly writer: ReturnPathWriter | undefined;
  readonly channel: AnswerSink;
}

/** The incoming side of postcopy and of its recovery: what each stream command sets off (stream-format.md §9). */
export class PostcopyDestination {
  #requests: PageRequests | undefined;
  #measured = false;

  constructor(private readonly parts: PostcopyDestinationParts) {}

  /**
   * Figures of `postcopy-blocktime`, in milliseconds, where the capability was on when postcopy began. Nothing here runs on
   * a processor of the guest, so that its one processor was never blocked (MIG-CMD-QMIG-02).
   */
  get blocktime(): Readonly<Record<string, unknown>> {
    return this.#measured ? { 'postcopy-blocktime': 0, 'postcopy-vcpu-blocktime': [0] } : {};
  }

  /** Acts on a command of postcopy; others pass. */
  command(command: StreamCommand, path: AnswerPath): void {
    const { steps, loader, ram } = this.parts;
    switch (command.name) {
      case 'POSTCOPY_ADVISE':
        steps.step('advised');
        break;
      case 'POSTCOPY_RAM_DISCARD':
        if (steps.can('discarded')) steps.step('discarded');
        if (command.block !== undefined) loader.discard(command.block, command.ranges ?? []);
        break;
      case 'POSTCOPY_LISTEN':
        loader.listen();
        this.#measured = this.parts.measures();
        this.#requests = new PageRequests(ram, loader);
        steps.step('listening');
        break;
      case 'POSTCOPY_RUN':
        steps.step('run');
        this.#requests?.begin(path.writer, path.channel);
        break;
      case 'RECV_BITMAP':
        this.#sendBitmap(command.block ?? '', path);
        break;
      case 'POSTCOPY_RESUME':
        steps.step('resumed');
        if (path.writer !== undefined) path.channel.post(path.writer.resumeAck());
        this.#requests?.begin(path.writer, path.channel);
        break;
      default:
        break;
    }
  }

  #sendBitmap(name: string, { writer, channel }: AnswerPath): void {
    const { ram, loader, steps } = this.parts;
    const block = ram.block(name);
    if (block === undefined || writer === undefined) return;
    channel.post(writer.receivedBitmap(name, loader.received(block)));
    if (steps.can('bitmap-sent')) steps.step('bitmap-sent');
  }
}
