/** Errors → one line for the user and an exit code. */
import { exitCodes } from '../oracle/exit-codes.js';

/** The command line asks for something that cannot be done. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Selectors that leave nothing. */
export class NothingSelected extends Error {
  override readonly name = 'NothingSelected';
  constructor(why = '--skip takes away all that was selected') {
    super(`nothing is left to run: ${why}`);
  }
}

/** Ended by Ctrl-C before there was anything to report. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor() {
    super('interrupted');
  }
}

/** By name and not by class: most commands never load the folders that throw these. */
const codes: Readonly<Record<string, number>> = {
  UsageError: exitCodes.usage,
  ConfigError: exitCodes.usage,
  TemplateError: exitCodes.usage,
  ExpectationsError: exitCodes.usage,
  SelectorError: exitCodes.usage,
  ScenarioError: exitCodes.usage,
  ListenError: exitCodes.usage,
  NothingSelected: exitCodes.nothingSelected,
  TargetError: exitCodes.target,
  ConnectError: exitCodes.target,
  DeadlinePassed: exitCodes.target,
  Disconnected: exitCodes.target,
  NotQmp: exitCodes.target,
  StorageError: exitCodes.storage,
  ScratchError: exitCodes.storage,
  Interrupted: exitCodes.interrupted,
};

export interface Failure {
  readonly exitCode: number;
  /** Without a line end. */
  readonly message: string;
}

/** @param debug show where an internal fault was thrown */
export function explainFailure(error: unknown, debug: boolean): Failure {
  if (!(error instanceof Error)) return { exitCode: exitCodes.internal, message: `internal error: ${String(error)}` };
  const own = (error as { exitCode?: unknown }).exitCode;
  const exitCode = codes[error.name] ?? (typeof own === 'number' ? own : undefined);
  if (exitCode !== undefined) return { exitCode, message: error.message };
  if (debug) return { exitCode: exitCodes.internal, message: `internal error: ${error.stack ?? error.message}` };
  const line = error.message.split('\n', 1)[0];
  return {
    exitCode: exitCodes.internal,
    message: `internal error: ${line} (this is a fault of qmpspec; QMPSPEC_DEBUG=1 shows where)`,
  };
}
