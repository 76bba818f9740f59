/** Every place of a value at which it could be wrong, with the type that is wanted there. */
import type { JsonObject, JsonValue } from '../../protocol/json.js';
import type { TypeDefinition } from '../../qapi/schema.js';
import { elementOf, type Typed, type ValidValues } from '../values/valid.js';
import { type AlmostJson, Members } from './text.js';

export interface Place {
  /** As monitors write it, `capabilities[0].state`; empty for the arguments themselves. */
  readonly path: string;
  /** The bare member name, `null` for an element of an array: some texts show it instead of the path. */
  readonly name: string;
  readonly typed: Typed;
  readonly definition: TypeDefinition | undefined;
  readonly value: JsonValue;
  /** The whole value with something else here. */
  readonly replace: (other: AlmostJson) => AlmostJson;
  /** The place is the member of an object that may be absent, has to be there, or is no member. */
  readonly member: 'optional' | 'required' | undefined;
  /** The whole value without this member. */
  readonly remove?: () => AlmostJson;
}

/** The places of a valid value, outermost first. */
export function placesOf(values: ValidValues, value: JsonValue, typed: Typed): Place[] {
  const found: Place[] = [];
  visit(values, found, {
    path: '',
    name: '',
    typed,
    value,
    replace: (other) => other,
    member: undefined,
  });
  return found;
}

function visit(values: ValidValues, found: Place[], at: Omit<Place, 'definition'>): void {
  const definition = at.typed.type.list ? undefined : values.schema.types.get(at.typed.type.name);
  found.push({ ...at, definition });
  if (at.typed.type.list) {
    const list = at.value as readonly JsonValue[];
    list.forEach((element, index) => {
      visit(values, found, {
        path: `${at.path}[${index}]`,
        name: 'null',
        typed: elementOf(at.typed),
        value: element,
        replace: (other) => at.replace(list.map((one, i) => (i === index ? other : one))),
        member: undefined,
      });
    });
  } else if (definition?.kind === 'struct' || definition?.kind === 'union') {
    const object = at.value as JsonObject;
    for (const { member, typed } of values.members(at.typed, object)) {
      const value = object[member.name];
      if (value === undefined) continue;
      const others = Object.entries(object);
      visit(values, found, {
        path: at.path === '' ? member.name : `${at.path}.${member.name}`,
        name: member.name,
        typed,
        value,
        replace: (other) =>
          at.replace(new Members(others.map(([name, one]) => [name, name === member.name ? other : one]))),
        member: member.optional ? 'optional' : 'required',
        remove: () => at.replace(new Members(others.filter(([name]) => name !== member.name))),
      });
    }
  }
  // What is inside an alternate or `any` is left alone: which text a fault there gets depends on the branch.
}
