/** `getfd` and its kin (qmp-protocol.md §14). */
import type { CommandContext, CommandTable } from '../../migration/host.js';
import type { DescriptorSets, MonitorDescriptors } from '../descriptors.js';

/** @param descriptorsOf the table of the monitor with this id. */
export function descriptorCommands(
  sets: DescriptorSets,
  descriptorsOf: (monitorId: number) => MonitorDescriptors,
): CommandTable {
  const own = (context: CommandContext) => descriptorsOf(context.monitorId);
  return new Map([
    ['getfd', (args, context) => own(context).name(args.fdname as string)],
    ['closefd', (args, context) => own(context).closeNamed(args.fdname as string)],
    [
      'add-fd',
      (args, context) =>
        sets.add(own(context).takePending(), args['fdset-id'] as bigint | undefined, args.opaque as string | undefined),
    ],
    ['remove-fd', (args) => sets.remove(args['fdset-id'] as bigint, args.fd as bigint | undefined)],
    ['query-fdsets', () => sets.list()],
  ] satisfies Iterable<
    readonly [string, (args: Readonly<Record<string, unknown>>, context: CommandContext) => unknown]
  >);
}
