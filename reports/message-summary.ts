/** A message of a transcript in a few words: what matters of it where there is no room for its text. */
import { isObject, type JsonObject, type JsonValue, parseJson, stringifyJson } from '../protocol/json.js';
import { visible } from '../protocol/render.js';
import { type Entry, entryValue } from '../protocol/transcript.js';

/** One line without its number, uncut. */
export function summary(entry: Entry): string {
  switch (entry.kind) {
    case 'sent':
      return `-> ${commands(entry.text)}`;
    case 'received':
      return `<- ${message(entryValue(entry)) ?? visible(entry.text)}`;
    case 'eof':
      return '-- end of file';
    default:
      return `-- ${entry.kind} ${visible(entry.text)}`.trimEnd();
  }
}

/** The commands of one write. */
function commands(text: string): string {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return lines.map((line) => command(line) ?? visible(line)).join('  ');
}

function command(line: string): string | undefined {
  let value: JsonValue;
  try {
    value = parseJson(Buffer.from(line, 'latin1').toString('utf8'));
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const name = value.execute ?? value['exec-oob'];
  if (typeof name !== 'string') return undefined;
  const args = value.arguments === undefined ? '' : ` ${stringifyJson(value.arguments)}`;
  return `${name}${'exec-oob' in value ? ' (oob)' : ''}${args}`;
}

function message(value: JsonValue | undefined): string | undefined {
  if (!isObject(value)) return undefined;
  if (typeof value.event === 'string') return event(value.event, isObject(value.data) ? value.data : {});
  if ('return' in value) return stringifyJson(statusFirst(value.return as JsonValue));
  if (isObject(value.error)) return `${String(value.error.class)}: ${String(value.error.desc)}`;
  if (isObject(value.QMP)) return 'greeting';
  return undefined;
}

function event(name: string, data: JsonObject): string {
  if (name === 'MIGRATION') return `MIGRATION ${String(data.status)}`;
  if (name === 'MIGRATION_PASS') return `MIGRATION_PASS ${String(data.pass)}`;
  return Object.keys(data).length === 0 ? name : `${name} ${stringifyJson(data)}`;
}

/** A status is what one looks for; members come in any order. */
function statusFirst(value: JsonValue): JsonValue {
  if (!isObject(value) || value.status === undefined) return value;
  const { status, ...rest } = value;
  return { status, ...rest };
}
