import { describeDevices } from './device-state.js';
import type { MigrationHost } from './host.js';
import type { Outgoing } from './outgoing.js';
import { coloLoop } from './outgoing-colo.js';

/** SWITCHOVER_START is sent: the dialect has it, and property `send-switchover-start` does not forbid it. */
export const announcesSwitchover = (host: MigrationHost): boolean =>
  host.dialect.stream.commands.includes('SWITCHOVER_START') && (host.property?.('send-switchover-start') ?? true);

/** Stops the guest and sends what is left: the end of a precopy migration (state-machine.md §3.3). */
export async function switchOver(owner: Outgoing): Promise<void> {
  const { walker, writer, source, settings } = owner;
  const { host } = owner.deps;
  owner.guestStopped = host.clock.now();
  walker.step('converged');
  if (walker.can('held')) {
    walker.step('held');
    await owner.untilContinued();
    walker.step('continued');
  } else walker.step('guest-stopped');
  owner.passes.sync();
  walker.step('final-sync');
  source.lastStage = true;
  if (announcesSwitchover(host)) writer.command('SWITCHOVER_START');
  owner.storage.endBeforeRam();
  writer.end(owner.ram.section);
  await owner.ram.rest();
  await owner.ram.endBody();
  writer.footer();
  owner.storage.endAfterRam();
  owner.writeDevices(walker.state.out.former ?? 'running');
  writer.eof();
  writer.vmdescription(
    host.adopted?.description ?? describeDevices(host.dialect, host.machineName, settings.on('x-colo')),
  );
  await owner.flush();
  await owner.finish('all-written');
  if (walker.state.out.status === 'colo') await coloLoop(owner);
}
