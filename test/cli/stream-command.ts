import { streamCommand } from '../../cli/stream.js';
import { capturedIo } from './captured-io.js';

export interface Result {
  readonly out: string;
  readonly err: string;
  readonly exitCode: number;
}

/** Runs `qmpspec stream` in this process. */
export const run = (...args: string[]): Promise<Result> => runOn(false, ...args);

/** … with or without a terminal. */
export async function runOn(terminal: boolean, ...args: string[]): Promise<Result> {
  const { io, text } = capturedIo(terminal);
  await streamCommand(io).parseAsync(args, { from: 'user' });
  return { ...text, exitCode: io.exitCode };
}

/** The error of a command that must be refused; by name, as the program tells whose fault an error is. */
export async function refusal(...args: string[]): Promise<string> {
  try {
    await run(...args);
  } catch (error) {
    if (error instanceof Error && ['UsageError', 'StorageError'].includes(error.name)) return error.message;
    throw error;
  }
  throw new Error(`${args.join(' ')}: was not refused`);
}
