import { turn } from '../../protocol/clock.js';
import { type ColoMessageName, encodeColoMessage } from '../stream/colo-messages.js';
import { ChannelError } from './channel.js';
import { ColoInbox } from './colo-inbox.js';
import { describeDevices } from './device-state.js';
import type { Outgoing } from './outgoing.js';

/** Pages written between two looks at the rest of the process, in bytes. */
const portionBytes = 1024 * 1024;

/** Longer waits than timers can have are cut, in milliseconds; who waits looks again. */
const longestTimer = 2 ** 31 - 1;

/** A failover has been requested: whatever was under way is left. */
class FailedOver extends Error {
  override readonly name = 'FailedOver';
}

/** Status `colo`: checkpoint after checkpoint until the failover (state-machine.md §3.6). */
export async function coloLoop(owner: Outgoing): Promise<void> {
  const { walker, deps } = owner;
  const primary = new Primary(owner);
  try {
    await primary.run();
  } catch (error) {
    if (owner.closed) throw error;
    if (error instanceof ChannelError) deps.host.log(error.reason);
    else if (!(error instanceof FailedOver) && walker.state.out.status === 'colo') throw error;
    // Who was cancelled notices only at the next checkpoint that its channel is gone.
    if (walker.state.out.status === 'cancelling') await primary.untilDue();
    if (owner.closed) throw error;
    if (!(error instanceof FailedOver) && walker.can('channel-error')) walker.step('channel-error');
    // A cancel that is not ignored ends here; after anything else the guest waits for the failover.
    while (!walker.can('failover')) {
      owner.check();
      await owner.wait();
    }
  }
  deps.statistics.end(0);
  walker.step('failover');
  owner.channel.destroy();
}

class Primary {
  readonly #inbox: ColoInbox;
  /** When the next checkpoint was due at the last look, by the machine's clock. */
  #dueAt = 0;

  constructor(private readonly owner: Outgoing) {
    this.#inbox = new ColoInbox(
      () => owner.wake(),
      async () => {
        await owner.wait();
        this.#look();
      },
    );
    const rest = owner.returnPath?.takeRest();
    owner.channel.read(
      (chunk) => {
        this.#inbox.push(Buffer.from(chunk));
        return true;
      },
      () => this.#inbox.end(),
    );
    if (rest !== undefined && rest.length > 0) this.#inbox.push(rest);
  }

  /** @throws FailedOver, ChannelError, Ended */
  async run(): Promise<never> {
    const { owner } = this;
    const { source, walker } = owner;
    // The secondary's pages are what was sent last, but neither its delta cache nor data channels go on.
    source.plainOnly = true;
    source.multifd = undefined;
    owner.checkpointRequested = false;
    await this.#inbox.expect('checkpoint-ready');
    this.#look();
    walker.step('checkpoint-ready');
    for (let last = this.#now(); ; last = this.#now()) {
      await this.#due(last);
      owner.checkpointRequested = false;
      await this.#checkpoint();
    }
  }

  /** Waits until the next checkpoint would be due, or the process ends. */
  async untilDue(): Promise<void> {
    const { owner } = this;
    while (!owner.closed && this.#dueAt > this.#now()) {
      await owner.wait(Math.min(this.#dueAt - this.#now(), longestTimer));
    }
  }

  /** Waits until the next checkpoint is due: setting the parameter asks for one, lengthening it alone does not. */
  async #due(last: number): Promise<void> {
    const { owner } = this;
    for (;;) {
      this.#look();
      this.#dueAt = last + owner.settings.checkpointDelay;
      const left = this.#dueAt - this.#now();
      if (left <= 0 || owner.checkpointRequested) return;
      if (this.#inbox.exhausted) await this.#inbox.message();
      await owner.wait(Math.min(left, longestTimer));
    }
  }

  async #checkpoint(): Promise<void> {
    const { owner } = this;
    const { walker } = owner;
    this.#send('checkpoint-request');
    await this.#inbox.expect('checkpoint-reply');
    this.#look();
    walker.step('checkpoint');
    this.#send('vmstate-send');
    owner.passes.count();
    walker.step('checkpoint-sync');
    owner.source.forgetBlock();
    if (owner.deps.host.dialect.stream.coloSection) await this.#whole();
    else await this.#separate();
    await this.#inbox.expect('vmstate-received');
    await this.#inbox.expect('vmstate-loaded');
    this.#look();
    walker.step('checkpoint-loaded');
  }

  /** A stream of its own with RAM and devices, as one announced buffer. */
  async #whole(): Promise<void> {
    const { owner } = this;
    const { writer } = owner;
    const { host } = owner.deps;
    writer.header();
    writer.configuration(host.machineName);
    writer.start(owner.ram.section, 'ram', 0, 4);
    writer.ram.setup(host.ram.blocks.map(({ name, bytes }) => ({ name, length: bytes.length })));
    writer.ram.eos();
    writer.footer();
    await this.#pages();
    owner.writeDevices('running');
    writer.eof();
    writer.vmdescription(describeDevices(host.dialect, host.machineName, true));
    await this.#announced();
  }

  /** RAM as items of the stream itself; only the devices come as an announced buffer. */
  async #separate(): Promise<void> {
    const { owner } = this;
    await this.#pages();
    owner.writer.eof();
    await this.#transmit(owner.writer.out.take());
    owner.writeDevices('running');
    owner.writer.eof();
    await this.#announced();
  }

  async #pages(): Promise<void> {
    const { writer, source, ram } = this.owner;
    writer.end(ram.section);
    while (source.pending > 0) {
      source.fill(portionBytes);
      await turn(this.owner.deps.host.clock);
      this.#look();
    }
    writer.ram.eos();
    writer.footer();
  }

  async #announced(): Promise<void> {
    const buffers = this.owner.writer.out.take();
    const size = buffers.reduce((sum, { length }) => sum + length, 0);
    await this.#transmit([encodeColoMessage({ name: 'vmstate-size', size }), ...buffers]);
  }

  async #transmit(buffers: Buffer[]): Promise<void> {
    const { owner } = this;
    // A failover does not wait for a peer that has stopped reading.
    const sent = owner.channel.send(buffers);
    let done = false;
    const finished = () => {
      done = true;
      owner.wake();
    };
    sent.then(finished, finished);
    while (!done) {
      await owner.wait();
      this.#look();
    }
    await sent;
  }

  #send(name: ColoMessageName): void {
    this.owner.channel.post(encodeColoMessage({ name }));
  }

  #now(): number {
    return this.owner.deps.host.clock.now();
  }

  /** @throws what ends the loop: a failover, a cancel, the end of the process */
  #look(): void {
    this.owner.check();
    if (this.owner.walker.can('failover')) throw new FailedOver('failover');
  }
}
