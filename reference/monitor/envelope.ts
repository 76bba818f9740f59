/** The command envelope (qmp-protocol.md §4, steps 2 to 5). */
import { CommandError } from '../migration/host.js';
import { decodeText } from './json/text.js';
import type { JsonObject, JsonValue } from './json/value.js';

export interface Envelope {
  /** Name of the command, as bytes. */
  readonly command: string;
  /** Sent as `exec-oob`. */
  readonly oob: boolean;
  readonly arguments: JsonObject | undefined;
}

/** Whether a complete input value asks to overtake the commands that wait (QMP-OOB-06). */
export function asksForOob(value: JsonValue): value is JsonObject {
  return value instanceof Map && value.has('exec-oob') && !value.has('execute');
}

/** @throws CommandError for the first faulty member; `id` is the caller's business. */
export function readEnvelope(object: JsonObject, oobEnabled: boolean): Envelope {
  let command: { readonly name: string; readonly oob: boolean } | undefined;
  let args: JsonObject | undefined;
  for (const [name, value] of object) {
    if (name === 'id') continue;
    if (name === 'execute' || (name === 'exec-oob' && oobEnabled)) {
      if (typeof value !== 'string') throw new CommandError(`QMP input member '${name}' must be a string`);
      if (command) throw new CommandError("QMP input member 'execute' clashes with 'exec-oob'");
      command = { name: value, oob: name === 'exec-oob' };
    } else if (name === 'arguments') {
      if (!(value instanceof Map)) throw new CommandError("QMP input member 'arguments' must be an object");
      args = value;
    } else {
      throw new CommandError(`QMP input member '${decodeText(name)}' is unexpected`);
    }
  }
  if (!command) throw new CommandError("QMP input lacks member 'execute'");
  return { command: command.name, oob: command.oob, arguments: args };
}
