/** The migration engines as the monitor wires them in. Types only: the engines themselves are loaded when a machine is made. */
import type { MigrationHost } from '../migration/host.js';
import type { Migration } from '../migration/index.js';

export type CreateEngine = (host: MigrationHost) => Migration;
