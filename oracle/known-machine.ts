/** What is known of the machine of the only process of a scenario, so long as nothing was done to it that makes it unsure. */
import type { Dialect } from '../reference/dialects/dialect.js';
import { noUuid } from '../reference/multifd/initial-packet.js';
import type { Step } from '../targets/scenario.js';
import type { StartOptions } from '../targets/target.js';
import type { KnownMachine } from './peer/machine-checks.js';

/** Commands after which a guest does what it did before. A second migration is not told from here: the first may have stopped it. */
const harmless = /^(query-.*|qmp_capabilities|migrate-set-.*|migrate_set_.*|migrate-start-postcopy|migrate-continue)$/;

/** Bytes of the UUID that arguments give a machine that is plain otherwise; `undefined` for other arguments. */
function uuidOf(extra: readonly string[]): Buffer | undefined {
  const [option, uuid = '', ...more] = extra;
  if (option === undefined) return noUuid;
  const bytes = Buffer.from(uuid.replaceAll('-', ''), 'hex');
  return option === '-uuid' && more.length === 0 && bytes.length === noUuid.length ? bytes : undefined;
}

/** A machine that was started plainly; `undefined` where it was not. */
export function startedMachine(
  { migration }: Dialect,
  { paused = false, extra = [] }: StartOptions,
): KnownMachine | undefined {
  const uuid = uuidOf(extra);
  if (uuid === undefined) return undefined;
  const level = migration.parameters.find(({ name }) => name === 'compress-level')?.initial;
  return {
    runState: paused ? 'prelaunch' : 'running',
    uuid,
    ...(level === undefined ? {} : { compressLevel: Number(level) }),
  };
}

/** What is known of it once a step has been taken. */
export function machineAfter(machine: KnownMachine, step: Step): KnownMachine {
  switch (step.do) {
    case 'command':
      return afterCommand(machine, step);
    case 'pipeline':
      return step.commands.reduce(afterCommand, machine);
    case 'connect':
      return (step.before ?? []).reduce(afterCommand, machine);
    case 'raw':
      return { uuid: machine.uuid };
    default:
      return machine;
  }
}

function afterCommand(
  machine: KnownMachine,
  { execute, arguments: args }: { readonly execute: string; readonly arguments?: unknown },
): KnownMachine {
  const { uuid, compressLevel, runState, migrated } = machine;
  const sure = harmless.test(execute) || (execute === 'migrate' && migrated !== true);
  const level = typeof args === 'object' && args !== null && 'compress-level' in args ? undefined : compressLevel;
  return {
    uuid,
    ...(level === undefined ? {} : { compressLevel: level }),
    ...(runState === undefined || !sure ? {} : { runState }),
    ...(execute === 'migrate' || migrated === true ? { migrated: true as const } : {}),
  };
}
