export type { Command } from './command.js';
export { command, incomingRows, internal, machineCommands, migrationCommands, outgoingRows } from './model.js';
export { notation, type Output, type ReplyValue, visible } from './output.js';
export { migrationInfoShape } from './query-migrate.js';
export type { Alternative, Side, Step, StepRow } from './row.js';
export {
  type Incoming,
  initialState,
  type MigrationStatus,
  type ModelState,
  migrationStatuses,
  type Outgoing,
  type StartOptions,
} from './state.js';
export { type MigrationUri, parseUri } from './uri.js';
