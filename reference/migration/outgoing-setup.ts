import type { Subsection } from '../stream/stream-writer.js';
import { ended } from './ended.js';
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
    throw ended;
  }
  host.ram.logging = true;
  owner.openReturnPath();
  writer.header();
  if (host.property?.('send-configuration') ?? true) writer.configuration(host.machineName, subsections(owner));
  if (walker.state.out.returnPath === 'open') {
    writer.command('OPEN_RETURN_PATH');
    writer.ping(1);
  }
  if (settings.on('postcopy-ram')) writer.postcopyAdvise(4096);
  else if (settings.on('dirty-bitmaps')) writer.postcopyAdvise();
  if (settings.on('x-colo') && !host.dialect.stream.coloSection) writer.command('ENABLE_COLO');
  source.bitmap.setAll();
  owner.storage.startBeforeRam();
  writer.start(owner.ram.section, 'ram', 0, 4);
  const addresses = settings.on('x-ignore-shared');
  writer.ram.setup(
    host.ram.blocks.map(({ name, bytes, base }) => {
      return { name, length: bytes.length, ...(addresses ? { guestAddress: base } : {}) };
    }),
  );
  await owner.ram.endBody();
  writer.footer();
  owner.storage.startAfterRam();
  for (const block of host.ram.blocks) block.dirtyLog.clearAll();
  await owner.flush();
  owner.passes.count();
  walker.step('first-sync');
  statistics.setupTime = host.clock.now() - began;
  walker.step('set-up-done');
}

/** What the configuration carries beside the machine's name (stream-format.md §2). */
function subsections({ deps, settings }: Outgoing): Subsection[] {
  const { host } = deps;
  const { configurationSubsections, validatedCapabilities } = host.dialect.stream;
  const names = validatedCapabilities.filter((name) => settings.on(name));
  const found: Subsection[] = [];
  if (names.length > 0) {
    const body = Buffer.concat([Buffer.alloc(4), ...names.map((name) => Buffer.from(`\0${name}`, 'latin1'))]);
    body.writeUInt32BE(names.length);
    let at = 4;
    for (const name of names) {
      body[at] = name.length;
      at += 1 + name.length;
    }
    found.push({ name: 'configuration/capabilities', version: 1, body });
  }
  if (host.uuid !== undefined && configurationSubsections.includes('uuid') && settings.on('validate-uuid')) {
    found.push({ name: 'configuration/uuid', version: 1, body: host.uuid });
  }
  return found;
}
