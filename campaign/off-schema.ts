/** Results of commands, and events, that are not what the target's own schema says they are. */
import { isUndeclared } from '../oracle/conversation.js';
import { isObject, type JsonValue } from '../protocol/json.js';
import { entryValue, type Transcript } from '../protocol/transcript.js';
import type { Schema } from '../qapi/schema.js';
import { type Fault, type Validator, validatorsFor } from '../qapi/validators.js';
import type { Symptom } from './symptom.js';

/** A command with an id of ours, as it was sent on a line of its own. */
const asked = /^\{"exec(?:ute|-oob)":"([a-z0-9_-]+)".*"id":"((?:qs|value-)[\d.]+)"\}$/;

/** The first result of a transcript that is off the schema. @param schema of the target, by its own word */
export function offSchemaSymptoms(transcript: Transcript, schema: Schema): Symptom[] {
  const names = new Map<string, string>();
  for (const entry of transcript.entries) {
    if (entry.kind === 'sent') {
      for (const line of entry.text.split('\n')) {
        const [, name = '', id = ''] = asked.exec(line) ?? [];
        if (schema.commands.has(name)) names.set(`${entry.at} ${id}`, name);
      }
      continue;
    }
    if (entry.kind !== 'received' || entry.stale) continue;
    const value = entryValue(entry);
    if (isObject(value) && typeof value.event === 'string') {
      if (!schema.events.has(value.event)) {
        if (!isUndeclared(value.event, schema)) continue;
        const fault = { path: value.event, expected: 'an event that the schema has', got: 'another one' };
        return [symptomOf(`event ${value.event} off the schema`, 'QMP-EVT-01', fault, entry.n)];
      }
      const fault = faultIn(value.data, validatorsFor(schema).event(value.event));
      if (fault === undefined) continue;
      return [symptomOf(`event ${value.event} off the schema`, 'QMP-EVT-01', fault, entry.n)];
    }
    if (!isObject(value) || !('return' in value) || typeof value.id !== 'string') continue;
    const name = names.get(`${entry.at} ${value.id}`);
    const fault = name === undefined ? undefined : faultIn(value.return, validatorsFor(schema).returns(name));
    if (fault === undefined) continue;
    return [symptomOf(`success of ${name} off the schema`, 'QMP-REPLY-01', fault, entry.n)];
  }
  return [];
}

/** Objects that a validator has nothing against: what was said before, word for word, is the same object. */
const fitting = new WeakMap<Validator, WeakSet<object>>();

function faultIn(value: JsonValue | undefined, validate: Validator): Fault | undefined {
  let fine = fitting.get(validate);
  if (fine === undefined) {
    fine = new WeakSet();
    fitting.set(validate, fine);
  }
  const whole = typeof value === 'object' && value !== null ? value : undefined;
  if (whole !== undefined && fine.has(whole)) return undefined;
  const [fault] = validate(value);
  if (fault === undefined && whole !== undefined) fine.add(whole);
  return fault;
}

function symptomOf(
  what: string,
  row: string,
  { path, expected, got }: { readonly path: string; readonly expected: string; readonly got: string },
  entry: number,
): Symptom {
  const place = path.replace(/\d+/g, 'N');
  const subject = `${what}${place === '' ? '' : ` at ${place}`}`;
  return { kind: 'divergence', subject, rows: [row], state: '', expected: [expected], got, entry };
}
