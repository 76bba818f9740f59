/** Entities of the baseline that no requirement exercises, each with the reason. */
import type { Entity } from './entities.js';

const because = (reason: string, ...entities: readonly Entity[]) => entities.map((entity) => [entity, reason] as const);

const spice =
  'needs a display server of the kind spice, which the bundled monitor has not: MIG-CMD-CMI-01.active where there is one';
const channel = 'goes over the migration channel and never over QMP: the COLO chapter of the state machine tests it';
const internal = 'names a state that no command and no event of the baseline shows';

export const holes: Readonly<Partial<Record<Entity, string>>> = Object.fromEntries([
  ...because(
    spice,
    'command client_migrate_info',
    'argument client_migrate_info.protocol',
    'argument client_migrate_info.hostname',
    'argument client_migrate_info.port',
    'argument client_migrate_info.tls-port',
    'argument client_migrate_info.cert-subject',
  ),
  ...because(
    'needs a processor that writes all the while, which the bundled monitor has not: MIG-CMD-INV-08.busy where there is one',
    'member MigrationInfo.cpu-throttle-percentage',
  ),
  ...because(
    channel,
    'enum COLOMessage.checkpoint-ready',
    'enum COLOMessage.checkpoint-request',
    'enum COLOMessage.checkpoint-reply',
    'enum COLOMessage.vmstate-send',
    'enum COLOMessage.vmstate-size',
    'enum COLOMessage.vmstate-received',
    'enum COLOMessage.vmstate-loaded',
  ),
  ...because(
    internal,
    'enum COLOMode.unknown',
    'enum COLOMode.primary',
    'enum COLOMode.secondary',
    'enum FailoverStatus.none',
    'enum FailoverStatus.require',
    'enum FailoverStatus.active',
    'enum FailoverStatus.completed',
    'enum FailoverStatus.relaunch',
  ),
  ...because('needs replication nodes that fail', 'member ReplicationStatus.desc'),
]);
