import type { Outgoing } from './outgoing.js';

/** Bytes of disk contents in one section. */
const diskPart = 4 * 1024 * 1024;

/** Sends pass after pass until the guest can be stopped or postcopy begin (state-machine.md §3.2). */
export async function iterate(owner: Outgoing): Promise<'precopy' | 'postcopy'> {
  for (;;) {
    owner.check();
    if (owner.storage.pending) {
      await sendDisks(owner);
      continue;
    }
    if (owner.source.pending < owner.ram.threshold) {
      owner.passes.sync();
      owner.walker.step('dirty-sync');
    }
    const { pending } = owner.source;
    if (pending === 0 || pending < owner.ram.threshold) return 'precopy';
    const postcopy = owner.walker.can('postcopy-started') || owner.walker.can('held-for-postcopy');
    if (postcopy && owner.settings.on('postcopy-ram')) return 'postcopy';
    await owner.ram.part(() => owner.settings.maxBandwidth);
    owner.ram.turnWindow();
    if (owner.ram.window.left(owner.settings.maxBandwidth) === 0) await owner.wait(owner.ram.window.remaining);
    owner.ram.turnWindow();
  }
}

/** Disk contents go first, within the same bandwidth limit; the sections of RAM between them stay empty. */
async function sendDisks(owner: Outgoing): Promise<void> {
  const { writer, storage, settings, ram } = owner;
  const room = ram.window.left(settings.maxBandwidth);
  if (room > 0) storage.part(Math.min(room, diskPart));
  writer.part(ram.section);
  await ram.endBody();
  writer.footer();
  await owner.flush();
  owner.ram.turnWindow();
  if (ram.window.left(settings.maxBandwidth) === 0) await owner.wait(ram.window.remaining);
  owner.ram.turnWindow();
}
