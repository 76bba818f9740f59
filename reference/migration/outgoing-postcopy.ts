import type { MigrationUri } from '../model/index.js';
import { writeDiscards } from '../postcopy/discards.js';
import { writePackage } from '../postcopy/package.js';
import { RecoveryHandshake } from '../postcopy/recovery.js';
import { ReleasedRam } from '../postcopy/released-ram.js';
import type { ReturnPathMessage } from '../stream/return-path-reader.js';
import { StreamWriter } from '../stream/stream-writer.js';
import { ChannelError } from './channel.js';
import type { Outgoing } from './outgoing.js';
import { announcesSwitchover } from './outgoing-switchover.js';

/** The outgoing side of postcopy, and its recovery (stream-format.md §9, state-machine.md §3.4 and §3.5). */
export class Postcopy {
  readonly #handshake = new RecoveryHandshake();
  /** Bytes per second, chosen at the switch. */
  #limit = 0n;

  constructor(private readonly owner: Outgoing) {}

  /** A message of the return path other than SHUT. */
  message(message: ReturnPathMessage): void {
    const { owner } = this;
    const { ram } = owner.deps.host;
    switch (message.type) {
      case 'REQ_PAGES':
      case 'REQ_PAGES_ID': {
        owner.deps.statistics.postcopyRequests++;
        const block = ram.block(message.block);
        if (block !== undefined) owner.source.request(block, message.start, message.length);
        break;
      }
      case 'RECV_BITMAP':
        this.#handshake.receivedBitmap(message, ram, owner.source.bitmap);
        break;
      case 'RESUME_ACK':
        if (owner.walker.state.out.status === 'postcopy-recover') this.#handshake.acknowledge();
        break;
      default:
        return;
    }
    owner.wake();
  }

  /** Takes effect in the next window. */
  changeLimit(limit: bigint): void {
    this.#limit = limit;
  }

  /** From the switch to the end. */
  async run(): Promise<void> {
    const { owner } = this;
    const { walker, deps } = owner;
    const { host, statistics } = deps;
    const { writer, source } = owner;
    const began = host.clock.now();
    if (walker.can('held-for-postcopy')) {
      walker.step('held-for-postcopy');
      await owner.untilContinued();
      owner.passes.sync();
      walker.step('continued');
    } else {
      owner.passes.sync();
      walker.step('postcopy-started');
    }
    if (announcesSwitchover(host)) writer.command('SWITCHOVER_START');
    owner.storage.endBeforeRam();
    writeDiscards(writer, host.ram, source.bitmap);
    const inner = new StreamWriter(host.dialect.stream, { footers: host.property?.('send-section-footer') ?? true });
    host.wire?.writer?.(inner);
    writePackage(writer, inner, () => owner.writeDevices(walker.state.out.former ?? 'running', inner));
    source.forgetBlock();
    source.plainOnly = true;
    await owner.flush();
    if (owner.settings.on('release-ram')) {
      source.released = new ReleasedRam(host.ram);
      source.released?.begin(source.bitmap);
    }
    statistics.downtime = Math.floor(host.clock.now() - began);
    this.#limit = owner.settings.maxPostcopyBandwidth;
    await this.#send();
  }

  async #send(): Promise<void> {
    const { owner } = this;
    const { source, writer } = owner;
    const { window } = owner.ram;
    while (source.pending > 0) {
      this.#checkPath();
      // Requested pages do not wait for the bandwidth limit.
      await owner.ram.part(() => (source.hasRequests ? 0n : this.#limit));
      owner.ram.turnWindow();
      if (window.left(this.#limit) === 0 && !source.hasRequests) await owner.wait(window.remaining);
      owner.ram.turnWindow();
      owner.check();
    }
    this.#checkPath();
    writer.end(owner.ram.section);
    await owner.ram.endBody();
    writer.footer();
    owner.storage.endAfterRam();
    writer.eof();
    await owner.flush();
    await owner.finish('all-sent');
  }

  /** A return path that has ended while pages are still to be sent pauses the migration. */
  #checkPath(): void {
    const { returnPath, walker } = this.owner;
    if (returnPath?.ended === undefined) return;
    if (returnPath.ended !== 'closed' && walker.rules.returnPathErrorsLate) return;
    throw new ChannelError('Input/output error');
  }

  /** `migrate` with `resume`: a second connection. */
  async recover(uri: MigrationUri): Promise<void> {
    const { owner } = this;
    const { walker, deps, writer, source } = owner;
    if (uri.kind === 'tcp' || uri.kind === 'unix') await owner.connect(uri);
    else walker.step('connected');
    writer.out.take();
    owner.openReturnPath();
    this.#handshake.begin(writer, deps.host.ram);
    await owner.flush();
    await this.#until(() => this.#handshake.bitmapsComplete);
    writer.command('POSTCOPY_RESUME');
    await owner.flush();
    await this.#until(() => this.#handshake.acknowledged);
    walker.step('resume-acknowledged');
    source.forgetBlock();
    await this.#send();
  }

  async #until(done: () => boolean): Promise<void> {
    const { owner } = this;
    while (!done()) {
      if (owner.returnPath?.ended !== undefined || owner.channel.destroyed)
        throw new ChannelError('Input/output error');
      await owner.wait();
      owner.check();
    }
  }
}
