/** commands.md §12: commands that touch neither migration state. */
import type { CommandRule } from './command.js';

/** MIG-CMD-CMI-01, on a machine without SPICE. */
export const clientMigrateInfo: CommandRule = (call) =>
  call.args.protocol === 'spice'
    ? call.refuse('MIG-CMD-CMI-01', 'SPICE is not in use', 'DeviceNotActive')
    : call.refuse('MIG-CMD-CMI-01', call.rules.protocolText);

/** MIG-CMD-XEN-01: a running guest is stopped for the time of the writing, even when the file cannot be opened. */
export const xenSave: CommandRule = (call) => {
  const { runState } = call.state.vm;
  const around = (label: string, desc?: string) =>
    call.may('MIG-CMD-XEN-01', label, (c) => {
      if (runState === 'running') c.stop('save-vm').resume();
      return desc === undefined ? c.reply() : c.refuse(desc);
    });
  return [around('answered'), around('failed', '*')];
};

/** MIG-CMD-XEN-02, without replication nodes. */
export const xenSetReplication: CommandRule = (call) =>
  call.args.failover !== undefined && call.args.enable === true
    ? call.refuse('MIG-CMD-XEN-02', "Parameter 'failover' is only for stopping replication")
    : call.answer('MIG-CMD-XEN-02');

/** MIG-CMD-XEN-03, without replication nodes. */
export const xenReplicationStatus: CommandRule = (call) => call.answer('MIG-CMD-XEN-03', { exact: { error: false } });

/** MIG-CMD-XEN-04, without replication nodes. */
export const xenCheckpoint: CommandRule = (call) => call.answer('MIG-CMD-XEN-04');
