/** Replies (qmp-protocol.md §5). */
import { CommandError } from '../migration/host.js';
import { ByteValue } from './json/encoder.js';
import type { JsonValue } from './json/value.js';

export type Reply = Readonly<Record<string, unknown>>;

const echo = (id: JsonValue | undefined) => (id === undefined ? undefined : new ByteValue(id));

/** `undefined` as the result means an empty object (QMP-REPLY-02); as the `id`, that there was none. */
export function success(id: JsonValue | undefined, result: unknown): Reply {
  return { return: result === undefined ? {} : result, id: echo(id) };
}

export function failure(id: JsonValue | undefined, error: CommandError): Reply {
  return { id: echo(id), error: { class: error.errorClass, desc: error.desc } };
}

/** Any error as one that can be replied; an unexpected one is reported to `log`, for it is a defect of this program. */
export function asCommandError(error: unknown, log: (line: string) => void): CommandError {
  if (error instanceof CommandError) return error;
  log(`internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return new CommandError(`internal error: ${error instanceof Error ? error.message : String(error)}`);
}
