import type { Outgoing } from './outgoing.js';

/** be32 messages between the two ends of COLO (stream-format.md §12). */
const checkpointReady = 0;

/**
 * Status `colo`: waits for the secondary, then runs until the failover (state-machine.md §3.6). Checkpoints themselves
 * are not exchanged; the guest keeps running between the first message and the failover.
 */
export async function coloLoop(owner: Outgoing): Promise<void> {
  const { walker } = owner;
  let received = Buffer.alloc(0);
  owner.channel.read(
    (chunk) => {
      received = Buffer.concat([received, chunk]).subarray(-8);
      owner.wake();
      return true;
    },
    () => {},
  );
  while (walker.state.out.status === 'colo') {
    if (walker.can('failover')) {
      owner.deps.statistics.end(0);
      walker.step('failover');
      return;
    }
    const ready = received.length >= 4 && received.readUInt32BE(0) === checkpointReady;
    if (ready && walker.can('checkpoint-ready')) walker.step('checkpoint-ready');
    await owner.wait();
    owner.check();
  }
}
