/** `stop`, `cont` and `query-status` as far as they meet migration: rows O22, O42 to O44, O64, I08 and §5. */
import type { CommandRule } from './command.js';

export const stop: CommandRule = (call) => {
  const { runState } = call.state.vm;
  if (runState === 'inmigrate') {
    return [call.may('MIG-SM-I08 MIG-SM-I22', 'answered', (c) => c.autostart(false).reply())];
  }
  if (runState !== 'running') return call.answer('MIG-SM-O43');
  const stopped = call.may('MIG-SM-O22', 'answered', (c) => c.stop('paused').reply());
  const { status, phase } = call.state.out;
  if ((status !== 'active' && status !== 'cancelling') || phase !== 'iterating') return [stopped];
  // While the processors come to rest, a switch-over may find the guest already stopped, and tell of itself first.
  const late = call.may('MIG-SM-O22 MIG-SM-E02', 'told-late', (c) => c.runState('paused').oweStop());
  return [stopped, late];
};

export const cont: CommandRule = (call) => {
  const { runState } = call.state.vm;
  if (runState === 'inmigrate') {
    return [call.may('MIG-SM-I08 MIG-SM-I22', 'answered', (c) => c.autostart(true).reply())];
  }
  if (runState === 'finish-migrate') return call.refuse('MIG-SM-O42 MIG-SM-O64', 'Migration is not finalized yet');
  if (runState === 'running') return call.answer('QMP-RUN-01');
  const ids = runState === 'postmigrate' ? 'MIG-SM-O44' : 'MIG-SM-O22';
  return [call.may(ids, 'answered', (c) => c.resume().reply())];
};

export const queryStatus: CommandRule = (call) => {
  const { runState } = call.state.vm;
  return call.answer('QMP-RUN-10', { equals: { status: runState, running: runState === 'running' } });
};
