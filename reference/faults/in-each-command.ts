/** For each command: a monitor that refuses it always, and one that does nothing in its place. */
import { CommandError } from '../migration/host.js';
import { type Area, type Fault, inArea } from './fault.js';

type Planned = Omit<Fault, 'area'>;

/** Commands of the baseline that the reference has, and the row that says what each is for. */
const rows: Readonly<Record<string, string>> = {
  migrate: 'MIG-CMD-MIG-30',
  migrate_cancel: 'MIG-CMD-CAN-02',
  migrate_set_downtime: 'MIG-CMD-LEG-01',
  migrate_set_speed: 'MIG-CMD-LEG-02',
  'migrate-continue': 'MIG-CMD-CONT-01',
  'migrate-incoming': 'MIG-CMD-INC-01',
  'migrate-pause': 'MIG-CMD-PAU-01',
  'migrate-recover': 'MIG-CMD-REC-01',
  'migrate-set-cache-size': 'MIG-CMD-LEG-03',
  'migrate-set-capabilities': 'MIG-CMD-SCAP-09',
  'migrate-set-parameters': 'MIG-CMD-SPAR-02',
  'migrate-start-postcopy': 'MIG-CMD-SPC-01',
  client_migrate_info: 'MIG-CMD-CMI-01',
  'x-colo-lost-heartbeat': 'MIG-CMD-COLO-01',
  'xen-save-devices-state': 'MIG-CMD-XEN-01',
  'xen-load-devices-state': 'MIG-CMD-XEN-01',
  'xen-set-replication': 'MIG-CMD-XEN-01',
  'xen-set-global-dirty-log': 'MIG-CMD-XEN-01',
  'query-xen-replication-status': 'MIG-CMD-XEN-01',
  'query-migrate': 'MIG-CMD-QMIG-01',
  'query-migrate-cache-size': 'MIG-CMD-LEG-03',
  'query-migrate-capabilities': 'MIG-CMD-QCAP-01',
  'query-migrate-parameters': 'MIG-CMD-QPAR-01',
  'query-commands': 'QMP-BASE-03',
  'query-events': 'QMP-BASE-04',
  'query-name': 'QMP-BASE-02',
  'query-qmp-schema': 'QMP-BASE-05',
  'query-version': 'QMP-BASE-01',
  stop: 'QMP-BASE-07',
  cont: 'QMP-BASE-08',
  system_reset: 'QMP-BASE-09',
  system_powerdown: 'QMP-EVT-11',
  system_wakeup: 'QMP-BASE-14',
  quit: 'QMP-EVT-12',
  getfd: 'QMP-FD-05',
  closefd: 'QMP-FD-08',
  'add-fd': 'QMP-FD-12',
  'query-fdsets': 'QMP-FD-13',
  'remove-fd': 'QMP-FD-14',
  'human-monitor-command': 'QMP-BASE-15',
};

const refuses = (name: string): Planned => ({
  title: `refuses ${name} always`,
  rows: [rows[name] as string],
  calls: {
    [name]: () => {
      throw new CommandError('Not now');
    },
  },
});
const ignores = (name: string): Planned => ({
  title: `does nothing for ${name}, successfully`,
  rows: [rows[name] as string],
  calls: { [name]: () => undefined },
});

/**
 * What the first of several faults of its own has already as another one, and what does nothing that shows: without Xen
 * nobody reads the dirty log, and a guest that does not sleep is not woken.
 */
const told = new Set([
  ...['migrate', 'migrate_cancel', 'cont', 'stop', 'query-migrate'],
  ...['xen-set-global-dirty-log', 'system_wakeup'],
]);

/** Real monitors die of a load that begins: no requirement lets one succeed. */
const refused = new Set(['xen-load-devices-state']);

const planned: [string, Planned][] = Object.keys(rows).flatMap((name) => [
  ...(refused.has(name) ? [] : [[`refuses-${name.replaceAll('_', '-')}`, refuses(name)] as [string, Planned]]),
  ...(told.has(name) ? [] : [[`ignores-${name.replaceAll('_', '-')}`, ignores(name)] as [string, Planned]]),
]);

const area: Area = 'commands';
export const eachCommand = inArea(area, Object.fromEntries(planned));
