/** Commands on the run state (QMP-BASE-06..10, QMP-BASE-14, qmp-protocol.md §15). */
import { CommandError, type CommandTable } from '../../migration/host.js';
import type { Machine } from '../machine.js';
import { needsReset } from '../run-states.js';

export function stop(machine: Machine): void {
  if (machine.runState === 'inmigrate') machine.autostart = false;
  else if (machine.runState === 'running') machine.stopGuest('paused');
}

export function cont(machine: Machine): void {
  const state = machine.runState;
  if (needsReset(state)) throw new CommandError('Resetting the Virtual Machine is required');
  // The baseline accepts it and dies later; refusing is the intended behaviour (MIG-DEF-04).
  if (state === 'finish-migrate') throw new CommandError('Migration is not finalized yet');
  if (state === 'inmigrate') machine.autostart = true;
  else machine.startGuest();
}

export function wakeUp(machine: Machine): void {
  const refusal = machine.dialect.protocol.wakeupError;
  if (machine.runState !== 'suspended' && refusal !== undefined) throw new CommandError(refusal);
  if (machine.runState !== 'suspended') return;
  machine.setRunState('running');
  machine.emit('WAKEUP');
}

export function runControlCommands(machine: Machine): CommandTable {
  return new Map([
    [
      'query-status',
      () => {
        const status = machine.runState;
        const running = status === 'running';
        return machine.dialect.protocol.singlestep ? { status, singlestep: false, running } : { status, running };
      },
    ],
    ['stop', () => stop(machine)],
    ['cont', () => cont(machine)],
    ['system_reset', () => machine.requestReset()],
    ['system_powerdown', () => machine.requestPowerdown()],
    ['system_wakeup', () => wakeUp(machine)],
    [
      'x-exit-preconfig',
      () => {
        if (!machine.preconfig) throw new CommandError(machine.dialect.protocol.exitPreconfigError);
        machine.exitPreconfig();
      },
    ],
    ['quit', () => machine.requestShutdown('host-qmp-quit')],
  ]);
}
