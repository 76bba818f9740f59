/** What a monitor must answer to bytes, by the rules of a dialect (qmp-protocol.md §7, §17.2). */
import type { Dialect } from '../../reference/dialects/dialect.js';
import { CommandError } from '../../reference/migration/host.js';
import { readEnvelope } from '../../reference/monitor/envelope.js';
import { JsonReader } from '../../reference/monitor/json/reader.js';
import { decodeText } from '../../reference/monitor/json/text.js';

/** Commands that the texts are made around: they take no arguments, change nothing, and every dialect has them. */
export const safeCommands = ['query-name', 'query-version', 'query-status'] as const;

export interface ExpectedReplies {
  /** One for each message, in order: the text of its error, or `undefined` where the command succeeds. */
  readonly replies: readonly (string | undefined)[];
  /** The last message has begun and not ended: what follows belongs to it. */
  readonly open: boolean;
}

/** @param bytes one character each; its complete messages are commands of {@link safeCommands} without arguments, or faulty */
export function expectedReplies(bytes: string, { protocol }: Dialect): ExpectedReplies {
  const reader = new JsonReader(protocol.json);
  const buffer = Buffer.from(bytes, 'latin1');
  const replies: (string | undefined)[] = [];
  for (let at = 0; at < buffer.length; ) {
    at = reader.read(buffer, at);
    const { message } = reader;
    if (message === undefined) break;
    replies.push(message.ok ? answerTo(message.value) : message.desc);
  }
  return { replies, open: hasOpenMessage(reader) };
}

/** A reader between messages takes a command for what it is. */
function hasOpenMessage(reader: JsonReader): boolean {
  const probe = Buffer.from(' {"execute":"query-name"} ');
  reader.read(probe, 0);
  const { message } = reader;
  return message === undefined || !message.ok || !(message.value instanceof Map) || message.value.size !== 1;
}

function answerTo(value: unknown): string | undefined {
  if (!(value instanceof Map)) return 'QMP input must be a JSON object';
  try {
    const { command, arguments: args } = readEnvelope(value, false);
    const name = decodeText(command);
    if (!(safeCommands as readonly string[]).includes(name)) return `The command ${name} has not been found`;
    const [unexpected] = args?.keys() ?? [];
    return unexpected === undefined ? undefined : `Parameter '${decodeText(unexpected)}' is unexpected`;
  } catch (error) {
    if (error instanceof CommandError) return error.message;
    throw error;
  }
}
