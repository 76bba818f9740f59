/** Which commands may be generated. What is not listed here is never sent, whatever a target's schema offers. */
import { migrationCommands } from '../reference/model/index.js';

/** Their effect on an idle machine without devices is known and stays inside the monitor. */
const harmless = new Set([
  'qmp_capabilities',
  'stop',
  'cont',
  'quit',
  'system_reset',
  'system_powerdown',
  'system_wakeup',
  ...migrationCommands.keys(),
]);
// It writes a file of the given name.
harmless.delete('xen-save-devices-state');

/** Sent with faulty arguments only: a monitor that accepts them all the same changes nothing outside itself. */
const refusable = new Set([
  'add-fd',
  'announce-self',
  'block-dirty-bitmap-add',
  'block-dirty-bitmap-clear',
  'block-dirty-bitmap-remove',
  'block-job-cancel',
  'block-job-pause',
  'block_set_io_throttle',
  'blockdev-add',
  'blockdev-del',
  'blockdev-reopen',
  'calc-dirty-rate',
  'closefd',
  'cpu',
  'device_del',
  'eject',
  'expire_password',
  'getfd',
  'job-cancel',
  'job-dismiss',
  'netdev_del',
  'object-del',
  'qom-get',
  'qom-list',
  'remove-fd',
  'ringbuf-read',
  'send-key',
  'set_link',
  'set_password',
  'yank',
]);

/** It only asks. */
const isQuery = (name: string): boolean => name.startsWith('query-');

/** May be carried out. */
export const mayBeExecuted = (name: string): boolean => isQuery(name) || harmless.has(name);

/** May be sent with something wrong in it. Not those that end the monitor or the guest, should it be let pass. */
export const mayBeSent = (name: string): boolean =>
  (mayBeExecuted(name) && !/^(quit|system_|stop|cont)/.test(name)) || refusable.has(name);
