/** Which entities of a schema a transcript exercises: read from what really went over the wire. */
import { isObject, type JsonObject, type JsonValue, parseJson, stringifyJson } from '../../protocol/json.js';
import { type Entry, entryValue, type Transcript } from '../../protocol/transcript.js';
import type { Schema, TypeRef } from '../../qapi/schema.js';
import type { Entity } from './entities.js';

/** Every entity that is seen; those of other files than the one of interest too. */
export function observe(transcript: Transcript, schema: Schema): Set<Entity> {
  const observer = new Observer(schema);
  for (const entry of transcript.entries) {
    if (entry.kind === 'sent') observer.sent(entry);
    else if (entry.kind === 'received' && !entry.stale) observer.received(entry);
  }
  return observer.seen;
}

interface Call {
  readonly command: string;
  readonly args: JsonObject;
}

class Observer {
  readonly seen = new Set<Entity>();
  /** Commands that wait for their replies, by endpoint and id. */
  private readonly calls = new Map<string, Call>();

  constructor(private readonly schema: Schema) {}

  sent({ at, text }: Entry): void {
    for (const line of text.split('\n')) {
      const value = parsed(line);
      if (!isObject(value) || value.id === undefined) continue;
      const command = value.execute ?? value['exec-oob'];
      if (typeof command !== 'string') continue;
      const args = isObject(value.arguments) ? value.arguments : {};
      this.calls.set(`${at} ${stringifyJson(value.id)}`, { command, args });
    }
  }

  received(entry: Entry): void {
    const value = entryValue(entry);
    if (!isObject(value)) return;
    if (typeof value.event === 'string') this.event(value.event, value.data);
    else if (value.id !== undefined && Object.hasOwn(value, 'return')) {
      const call = this.calls.get(`${entry.at} ${stringifyJson(value.id)}`);
      if (call !== undefined) this.succeeded(call, value.return as JsonValue);
    }
  }

  private event(name: string, data: JsonValue | undefined): void {
    const definition = this.schema.events.get(name);
    if (definition === undefined) return;
    this.seen.add(`event ${name}`);
    if (!isObject(data)) return;
    for (const member of this.schema.membersOf(definition.data)) {
      if (!Object.hasOwn(data, member.name)) continue;
      this.seen.add(`data ${name}.${member.name}`);
      this.value(member.type, data[member.name]);
    }
  }

  private succeeded({ command, args }: Call, result: JsonValue): void {
    const definition = this.schema.commands.get(command);
    if (definition === undefined) return;
    this.seen.add(`command ${command}`);
    for (const member of this.schema.membersOf(definition.arguments)) {
      if (!Object.hasOwn(args, member.name)) continue;
      this.seen.add(`argument ${command}.${member.name}`);
      this.value(member.type, args[member.name]);
      if (command === 'migrate-set-parameters') this.seen.add(`parameter ${member.name}`);
    }
    if (command === 'migrate-set-capabilities') this.capabilities(args.capabilities);
    if (definition.returns === undefined) return;
    this.seen.add(`return ${command}`);
    this.value(definition.returns, result);
  }

  private capabilities(list: JsonValue | undefined): void {
    for (const one of Array.isArray(list) ? list : []) {
      if (isObject(one) && one.state === true) this.seen.add(`capability ${String(one.capability)}`);
    }
  }

  private value({ name, list }: TypeRef, value: JsonValue | undefined): void {
    if (list) {
      for (const element of Array.isArray(value) ? value : []) this.value({ name, list: false }, element);
      return;
    }
    const type = this.schema.types.get(name);
    if (type?.kind === 'enum') {
      if (typeof value === 'string') this.seen.add(`enum ${name}.${value}`);
    } else if ((type?.kind === 'struct' || type?.kind === 'union') && isObject(value)) {
      this.seen.add(`type ${name}`);
      for (const member of this.schema.members(type)) {
        if (!Object.hasOwn(value, member.name)) continue;
        this.seen.add(`member ${name}.${member.name}`);
        this.value(member.type, value[member.name]);
      }
    }
  }
}

function parsed(line: string): JsonValue | undefined {
  if (line.trim() === '') return undefined;
  try {
    return parseJson(Buffer.from(line, 'latin1').toString('utf8'));
  } catch {
    return undefined;
  }
}
