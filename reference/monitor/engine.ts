/** The migration engines as the monitor wires them in; see reference/migration/. */
import type { CommandTable, MigrationHost } from '../migration/host.js';

export interface MigrationEngine {
  readonly commands: CommandTable;
  /** `-incoming URI`; a bad one is logged and ends the process. */
  startIncoming(uri: string): Promise<void>;
  /** `-incoming defer`. */
  deferIncoming(): void;
  close(): void;
}

export type CreateEngine = (host: MigrationHost) => MigrationEngine;
