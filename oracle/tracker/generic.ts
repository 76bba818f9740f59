/** Generic commands with an effect on what the model tracks, and what they put out. */
import type { MigrationRules } from '../../reference/dialects/migration.js';
import { command, isRunning, type ModelState, visible } from '../../reference/model/index.js';
import type { Emitted } from './emission.js';

/** Names of the commands that {@link genericOutcomes} knows. */
export const genericCommands: ReadonlySet<string> = new Set(['quit', 'system_reset', 'system_powerdown']);

export interface GenericOutcome {
  readonly outputs: readonly Emitted[];
  readonly rows: readonly string[];
  readonly state: ModelState;
}

/** `quit`, `system_reset` and `system_powerdown`: reply and event come in the dialect's order, or either (QMP-EVT-10 … -12, QMP-D-42). */
export function genericOutcomes(name: string, state: ModelState, rules: MigrationRules): GenericOutcome[] {
  const reply = { kind: 'reply', ok: true } as const;
  const both = (output: Emitted, rows: readonly string[], next: ModelState): GenericOutcome[] => [
    { outputs: [reply, output], rows, state: next },
    { outputs: [output, reply], rows, state: next },
  ];
  if (name === 'quit') {
    const shutdown = { kind: 'event', event: 'SHUTDOWN' } as const;
    // Other threads go on until the process has ended.
    const ended = { ...state, exits: 0 };
    const plain = both(shutdown, ['QMP-EVT-12'], ended);
    if (!rules.quitCancels) return plain;
    const withCancel = (told: readonly Emitted[], next: ModelState): GenericOutcome[] =>
      [[shutdown, ...told, reply] as const, [reply, shutdown, ...told] as const].map((outputs) => ({
        outputs,
        rows: ['QMP-D-44'],
        state: next,
      }));
    // What a cancel tells before its own reply, which nobody asked for here.
    const cancels = command(state, { name: 'migrate_cancel', args: {} }, rules).flatMap(({ outputs, next }) => {
      const told = outputs.filter((output) => output.kind === 'event');
      return withCancel(told, { ...next, replyOwed: false, exits: 0 });
    });
    if (!isRunning(state.out.status)) return [...plain, ...cancels];
    const event = { kind: 'event', event: 'MIGRATION', status: 'cancelling' } as const;
    return [...plain, ...cancels, ...withCancel(visible([event], state), ended)];
  }
  if (name === 'system_powerdown') return both({ kind: 'event', event: 'POWERDOWN' }, ['QMP-EVT-11'], state);
  const reset = { kind: 'event', event: 'RESET', data: {} } as const;
  const { runState } = state.vm;
  const stopped = runState === 'paused' || runState === 'postmigrate';
  const after: ModelState = stopped ? { ...state, vm: { ...state.vm, runState: 'prelaunch' } } : state;
  return both(reset, ['QMP-EVT-10', 'QMP-RUN-02'], after);
}
