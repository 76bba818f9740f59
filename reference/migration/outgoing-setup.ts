import { Ended } from './ended.js';
import type { Outgoing } from './outgoing.js';

/** Largest XBZRLE cache that this process takes memory for, in bytes. */
export const largestCache = 2n ** 32n;

/** Header, configuration, commands and the START section (MIG-SM-O12, O13). */
export async function setUp(owner: Outgoing): Promise<void> {
  const { host, walker, statistics } = owner.deps;
  const { writer, settings, source } = owner;
  const began = host.clock.now();
  statistics.expectedDowntime = settings.downtimeLimit;
  if (settings.on('xbzrle') && settings.xbzrleCacheSize > largestCache) {
    walker.step('set-up-failed-early');
    throw new Ended();
  }
  host.ram.logging = true;
  owner.openReturnPath();
  writer.header();
  writer.configuration(host.machineName);
  if (walker.state.out.returnPath === 'open') {
    writer.command('OPEN_RETURN_PATH');
    writer.ping(1);
  }
  if (settings.on('postcopy-ram')) writer.postcopyAdvise(4096);
  else if (settings.on('dirty-bitmaps')) writer.postcopyAdvise();
  if (settings.on('x-colo') && !host.dialect.stream.coloSection) writer.command('ENABLE_COLO');
  source.bitmap.setAll();
  writer.start(owner.sectionId, 'ram', 0, 4);
  writer.ram.setup(host.ram.blocks.map(({ name, bytes }) => ({ name, length: bytes.length })));
  await owner.endRamBody();
  writer.footer();
  for (const block of host.ram.blocks) block.dirtyLog.clearAll();
  await owner.flush();
  owner.passes.count();
  walker.step('first-sync');
  statistics.setupTime = host.clock.now() - began;
  walker.step('set-up-done');
}
