/** The migration engines as the monitor wires them in; see reference/migration/. */
import { CommandError, type CommandTable, type MigrationHost } from '../migration/host.js';

export interface MigrationEngine {
  readonly commands: CommandTable;
  /** `-incoming URI`; rejects with a CommandError that says what is wrong with the URI. */
  startIncoming(uri: string): Promise<void>;
  /** `-incoming defer`. */
  deferIncoming(): void;
  close(): void;
}

export type CreateEngine = (host: MigrationHost) => MigrationEngine;

/** A machine that cannot migrate. */
export const noEngine: CreateEngine = () => ({
  commands: new Map(),
  startIncoming: (uri) => Promise.reject(new CommandError(`unknown migration protocol: ${uri}`)),
  deferIncoming: () => {},
  close: () => {},
});
