import type { Outgoing } from './outgoing.js';

/** Sends pass after pass until the guest can be stopped or postcopy begin (state-machine.md §3.2). */
export async function iterate(owner: Outgoing): Promise<'precopy' | 'postcopy'> {
  for (;;) {
    owner.check();
    if (owner.source.pending < owner.threshold) {
      owner.passes.sync();
      owner.walker.step('dirty-sync');
    }
    const { pending } = owner.source;
    if (pending === 0 || pending < owner.threshold) return 'precopy';
    const postcopy = owner.walker.can('postcopy-started') || owner.walker.can('held-for-postcopy');
    if (postcopy && owner.settings.on('postcopy-ram')) return 'postcopy';
    await owner.part(() => owner.settings.maxBandwidth);
    owner.turnWindow();
    if (owner.window.left(owner.settings.maxBandwidth) === 0) await owner.wait(owner.window.remaining);
    owner.turnWindow();
  }
}
