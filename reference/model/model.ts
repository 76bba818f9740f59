/**
 * The model: one process as a labelled transition system (state-machine.md). {@link command} and {@link internal} are
 * all that the reference monitor and the oracle need. Pure: no clock, no I/O, states are immutable JSON.
 */
import type { MigrationRules } from '../dialects/migration.js';
import { cancel, cancellingSteps, lingeringSteps } from './cancel.js';
import { coloSteps, lostHeartbeat } from './colo.js';
import { Call, type Command, type CommandRule } from './command.js';
import { coloLoadSteps } from './incoming-colo.js';
import { postcopyLoadSteps } from './incoming-postcopy.js';
import { precopyLoadSteps } from './incoming-precopy.js';
import { migrateRecover, recoveryLoadSteps } from './incoming-recovery.js';
import { migrateIncoming, waitingSteps } from './incoming-waiting.js';
import { iterationSteps } from './iteration.js';
import { cutShort, firstMoment, nextMoment } from './moments.js';
import { clientMigrateInfo, xenCheckpoint, xenReplicationStatus, xenSave, xenSetReplication } from './others.js';
import { postcopySteps, startPostcopy } from './postcopy.js';
import { queryMigrate } from './query-migrate.js';
import { migratePause, recoverySteps } from './recovery.js';
import { type Alternative, byLabel, outcome, type Side, type Step, type StepRow, stepsOf } from './row.js';
import { cont, queryStatus, stop } from './run-state.js';
import {
  queryCacheSize,
  queryCapabilities,
  queryParameters,
  setCacheSize,
  setCapabilities,
  setDowntime,
  setParameters,
  setSpeed,
} from './settings.js';
import { migrate, setupSteps } from './start.js';
import type { ModelState } from './state.js';
import { migrateContinue, switchoverSteps } from './switchover.js';

/** The 22 commands of the schema. */
export const migrationCommands: ReadonlyMap<string, CommandRule> = new Map([
  ['query-migrate', queryMigrate],
  ['migrate-set-capabilities', setCapabilities],
  ['query-migrate-capabilities', queryCapabilities],
  ['migrate-set-parameters', setParameters],
  ['query-migrate-parameters', queryParameters],
  ['client_migrate_info', clientMigrateInfo],
  ['migrate-start-postcopy', startPostcopy],
  ['x-colo-lost-heartbeat', lostHeartbeat],
  ['migrate_cancel', cancel],
  ['migrate-continue', migrateContinue],
  ['migrate_set_downtime', setDowntime],
  ['migrate_set_speed', setSpeed],
  ['migrate-set-cache-size', setCacheSize],
  ['query-migrate-cache-size', queryCacheSize],
  ['migrate', migrate],
  ['migrate-incoming', migrateIncoming],
  ['xen-save-devices-state', xenSave],
  ['xen-set-replication', xenSetReplication],
  ['query-xen-replication-status', xenReplicationStatus],
  ['xen-colo-do-checkpoint', xenCheckpoint],
  ['migrate-recover', migrateRecover],
  ['migrate-pause', migratePause],
]);

/** Commands of the machine that depend on migration, or on which migration depends. */
export const machineCommands: ReadonlyMap<string, CommandRule> = new Map([
  ['stop', stop],
  ['cont', cont],
  ['query-status', queryStatus],
]);

/** Every row of every step table, outgoing side first. */
export const outgoingRows: readonly StepRow[] = [
  ...setupSteps,
  ...iterationSteps,
  ...switchoverSteps,
  ...postcopySteps,
  ...recoverySteps,
  ...coloSteps,
  ...cancellingSteps,
  ...lingeringSteps,
];
export const incomingRows: readonly StepRow[] = [
  ...waitingSteps,
  ...precopyLoadSteps,
  ...postcopyLoadSteps,
  ...recoveryLoadSteps,
  ...coloLoadSteps,
];

/**
 * Every permitted outcome of a command whose arguments have passed the schema's checks.
 * @throws RangeError for a command that the model does not know; a process that has ended permits nothing
 */
export function command(state: ModelState, { name, args }: Command, rules: MigrationRules): Alternative[] {
  const rule = migrationCommands.get(name) ?? machineCommands.get(name);
  if (rule === undefined) throw new RangeError(`the model does not know the command '${name}'`);
  if (state.exit !== null) return [];
  if (rules.removedCommands.includes(name)) {
    return new Call(state, args, rules).refuse(
      'MIG-CMD-GEN-01',
      `The command ${name} has not been found`,
      'CommandNotFound',
    );
  }
  return rule(new Call(state, args, rules));
}

/** Every step that may happen by itself, of either side, with all that it puts out: as an engine takes it. */
export function wholeSteps(state: ModelState, rules: MigrationRules): Step[] {
  if (state.exit !== null) return [];
  return withOwed(state, [
    ...stepsOf('outgoing', outgoingRows, state, rules),
    ...stepsOf('incoming', incomingRows, state, rules),
  ]);
}

const labelled = { outgoing: byLabel(outgoingRows), incoming: byLabel(incomingRows) };

/** The first of {@link wholeSteps} of this side and label. */
export function wholeStep(state: ModelState, rules: MigrationRules, side: Side, label: string): Step | undefined {
  if (state.exit !== null) return undefined;
  const [step] = stepsOf(side, labelled[side].get(label) ?? [], state, rules);
  return step ?? withOwed(state, []).find((owed) => owed.side === side && owed.label === label);
}

/** Everything that may happen next by itself, one output at a time: as a client sees it. */
export function internal(state: ModelState, rules: MigrationRules): Step[] {
  if (state.unsaid.length > 0) return withOwed(state, [nextMoment(state), ...cutShort(state)]);
  const steps = wholeSteps(state, rules).map((step) => firstMoment(step, state));
  return state.exits === null ? steps : [...steps, ended(state, state.exits)];
}

/** The process ends: until then everything else may still happen. */
const ended = (state: ModelState, exit: number): Step => ({
  side: 'outgoing',
  ...outcome('QMP-EVT-12', 'exits', state, (c) => c.exit(exit)),
});

function withOwed(state: ModelState, steps: Step[]): Step[] {
  if (state.stopOwed) {
    steps.push({ side: 'outgoing', ...outcome('MIG-SM-O22 MIG-SM-E02', 'stop-told', state, (c) => c.tellStop()) });
  } else if (state.replyOwed) {
    const ids = 'MIG-SM-R02 MIG-SM-R07 MIG-SM-R08 MIG-SM-R14';
    const settled = { ...state, replyOwed: false };
    steps.push({ side: 'outgoing', ...outcome(ids, 'reply', settled, (c) => c.reply()) });
  }
  return steps;
}
