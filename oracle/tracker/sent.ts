/**
 * What a client sent, as the oracle needs to know it. The bytes go through the reference monitor's own reader and argument
 * checks, so that both agree on where a message ends and on what is wrong with it.
 */
import { type JsonObject, type JsonValue, parseJson, stringifyJson } from '../../protocol/json.js';
import type { Schema } from '../../qapi/schema.js';
import type { Dialect } from '../../reference/dialects/dialect.js';
import { CommandError } from '../../reference/migration/host.js';
import { machineCommands, migrationCommands } from '../../reference/model/index.js';
import { checkArguments } from '../../reference/monitor/arguments.js';
import { isBeyondSigned } from '../../reference/monitor/builtin-arguments.js';
import { readEnvelope } from '../../reference/monitor/envelope.js';
import { JsonReader } from '../../reference/monitor/json/reader.js';
import { decodeText } from '../../reference/monitor/json/text.js';
import type { Message, JsonValue as RawValue } from '../../reference/monitor/json/value.js';
import { loadSchema } from '../../reference/schema/index.js';
import { genericCommands } from './generic.js';

export type Sent = {
  /** Absent when the message had none, or was not an object. */
  readonly id?: JsonValue;
  readonly oob: boolean;
} & (
  | { readonly kind: 'refused'; readonly errorClass: string; readonly desc: string }
  /** `qmp_capabilities` that will be accepted: enters command mode. */
  | { readonly kind: 'negotiation'; readonly name: string; readonly enablesOob: boolean }
  /** The model knows the command, and its arguments pass the schema; integers are bigint. */
  | { readonly kind: 'modelled'; readonly name: string; readonly args: Readonly<Record<string, unknown>> }
  /** A generic command with an effect on what the model tracks. */
  | { readonly kind: 'generic'; readonly name: string }
  /** Answered in a way of which nothing is known here, without effect on what the model tracks. */
  | { readonly kind: 'neutral'; readonly name: string }
);

/** What is said of a command that comes ahead of the negotiation (QMP-NEG-01). */
export const notNegotiated = "Expecting capabilities negotiation with 'qmp_capabilities'";
const alreadyNegotiated = 'Capabilities negotiation is already complete, command ignored';

/** A line as {@link Session} writes it, apart from its id: most of what is sent. */
const plainLine = /^(\{"exec.*),"id":"(qs\d+\.\d+)"\}\n$/;
/** Characters of a line that is worth remembering. */
const longestLine = 400;
const mostLines = 5000;
/** What plain lines mean by what stands before their ids; for each schema, and for each mode of a connection. */
const remembered = new WeakMap<Schema, Map<string, Map<string, Sent>>>();

/** The input side of one connection: bytes in, messages out, in the mode that the connection will be in by then. */
export class Input {
  private readonly reader: JsonReader;
  private commandMode = false;
  private oob = false;
  /** Of the present mode. */
  private known: Map<string, Sent>;

  constructor(
    private readonly dialect: Dialect,
    private readonly schema: Schema,
  ) {
    this.reader = new JsonReader(dialect.protocol.json);
    this.known = this.ofMode();
  }

  /** What is remembered of lines in the present mode. */
  private ofMode(): Map<string, Sent> {
    const modes = remembered.get(this.schema) ?? new Map<string, Map<string, Sent>>();
    remembered.set(this.schema, modes);
    const mode = `${this.dialect.name} ${this.commandMode} ${this.oob}`;
    const known = modes.get(mode) ?? new Map<string, Sent>();
    modes.set(mode, known);
    return known;
  }

  /** Messages that a text completes, of one character a byte. */
  pushText(text: string): Sent[] {
    const first = text.indexOf('\n') + 1;
    if (first === 0 || first === text.length) return this.pushLine(text);
    const messages: Sent[] = [];
    for (let at = 0; at < text.length; ) {
      const end = text.indexOf('\n', at) + 1 || text.length;
      messages.push(...this.pushLine(text.slice(at, end)));
      at = end;
    }
    return messages;
  }

  private pushLine(text: string): Sent[] {
    const line = this.reader.resting && text.length <= longestLine ? plainLine.exec(text) : null;
    if (line === null) {
      // Who sends bytes of his own choice has other ids.
      const read = this.reader.recall(text);
      return read === undefined ? this.push(Buffer.from(text, 'latin1')) : [this.accept(read)];
    }
    const [, head, id] = line as unknown as [string, string, string];
    const { known } = this;
    const same = known.get(head);
    if (same !== undefined) return [{ ...same, id }];
    const message = this.reader.recall(text);
    const messages = message === undefined ? this.push(Buffer.from(text, 'latin1')) : [this.accept(message)];
    const [only] = messages;
    // It is read with this very id: with another one of its kind it is read in the same way.
    if (messages.length === 1 && this.reader.resting && only?.id === id && only.kind !== 'negotiation') {
      if (known.size >= mostLines) known.clear();
      known.set(head, only);
    }
    return messages;
  }

  /** Messages that these bytes complete. */
  push(bytes: Buffer): Sent[] {
    const messages: Sent[] = [];
    for (let at = 0; at < bytes.length; ) {
      at = this.reader.read(bytes, at);
      const { message } = this.reader;
      if (message === undefined) break;
      messages.push(this.accept(message));
    }
    return messages;
  }

  private accept(message: Message): Sent {
    const sent = message.ok ? this.classify(message.value) : refused('GenericError', message.desc);
    if (sent.kind === 'negotiation') {
      this.commandMode = true;
      this.oob = sent.enablesOob;
      this.known = this.ofMode();
    }
    return sent;
  }

  private classify(value: RawValue): Sent {
    if (!(value instanceof Map)) return refused('GenericError', 'QMP input must be a JSON object');
    const rawId = value.get('id');
    const id = rawId === undefined ? {} : { id: plain(rawId) };
    try {
      const envelope = readEnvelope(value, this.oob);
      return { ...this.command(decodeText(envelope.command), envelope.arguments, envelope.oob), ...id };
    } catch (error) {
      if (error instanceof CommandError) return { ...refused(error.errorClass, error.desc), ...id };
      throw error;
    }
  }

  private command(name: string, given: Parameters<typeof checkArguments>[2], oob: boolean): Sent {
    if (!this.commandMode && name !== 'qmp_capabilities') throw new CommandError(notNegotiated, 'CommandNotFound');
    const definition = this.schema.commands.get(name);
    if (definition === undefined) throw new CommandError(`The command ${name} has not been found`, 'CommandNotFound');
    if (oob && !definition.allowOob) throw new CommandError(`The command ${name} does not support OOB`);
    const free = this.dialect.protocol.schemaArguments === 'ignored';
    if (free && given !== undefined && unchecked.has(name)) return { kind: 'neutral', name, oob };
    const args = checkArguments(this.schema, definition, given, this.dialect.protocol);
    if (this.schema.origin === 'introspection') this.checkWidths(name, given);
    if (name === 'qmp_capabilities') {
      if (this.commandMode) throw new CommandError(alreadyNegotiated, 'CommandNotFound');
      const enable = Array.isArray(args.enable) ? args.enable : [];
      return { kind: 'negotiation', name, enablesOob: enable.includes('oob'), oob: false };
    }
    if (migrationCommands.has(name) || machineCommands.has(name)) return { kind: 'modelled', name, args, oob };
    return { kind: genericCommands.has(name) ? 'generic' : 'neutral', name, oob };
  }

  /** Introspection does not tell widths and signs of integers: those are taken from the dialect's schema, and nothing else is. */
  private checkWidths(name: string, given: Parameters<typeof checkArguments>[2]): void {
    const schema = loadSchema(this.dialect.name);
    const definition = schema.commands.get(name);
    if (definition === undefined) return;
    try {
      checkArguments(schema, definition, given, this.dialect.protocol);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      const signed = /expected: integer$/.test(error.desc) && given !== undefined && holdsBeyondSigned(given);
      if (signed || /expects u?int\d+(_t)?$/.test(error.desc)) throw error;
    }
  }
}

/** Whether an integer in it, however deep, fits only an unsigned type. */
function holdsBeyondSigned(value: RawValue): boolean {
  if (value instanceof Map) return [...value.values()].some(holdsBeyondSigned);
  return Array.isArray(value) ? value.some(holdsBeyondSigned) : isBeyondSigned(value);
}

/** Releases before 6.0 do not hold the arguments of these against their schema. */
const unchecked: ReadonlySet<string> = new Set(['query-qmp-schema', 'object-add']);

const refused = (errorClass: string, desc: string): Sent => ({ kind: 'refused', errorClass, desc, oob: false });

/** An id as it is echoed: compared by value, text after the output encoder's replacements. */
function plain(value: RawValue): JsonValue {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([name, one]) => [decodeText(name), plain(one)])) as JsonObject;
  }
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'string') return decodeText(value);
  // Through the text, so that an integer has the form in which a received one is parsed.
  return typeof value === 'bigint' ? parseJson(stringifyJson(value)) : value;
}

/** A short name for explanations. */
export const nameOf = (sent: Sent): string =>
  sent.kind === 'refused' ? `a message that is refused (${sent.desc})` : sent.name;
