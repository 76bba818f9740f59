export { checkModel, type ModelCheck } from './check.js';
export type { Command } from './command.js';
export { diagram, type Paint } from './diagram.js';
export { allCalls, type Exploration, type ExploreOptions, explore } from './explore.js';
export {
  command,
  incomingRows,
  internal,
  machineCommands,
  migrationCommands,
  outgoingRows,
  wholeStep,
  wholeSteps,
} from './model.js';
export { notation, type Output, type ReplyValue, visible } from './output.js';
export { migrationInfoShape } from './query-migrate.js';
export type { Alternative, Side, Step, StepRow } from './row.js';
export { notTransitions, type RowEntry, rowIndex } from './row-index.js';
export { parameterCommands, structuralParameters } from './settings.js';
export {
  type Incoming,
  initialState,
  isRunning,
  type MigrationStatus,
  type ModelState,
  migrationStatuses,
  type Outgoing,
  type StartOptions,
} from './state.js';
export { type MigrationUri, parseUri } from './uri.js';
