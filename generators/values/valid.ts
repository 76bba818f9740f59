/** Valid values of any type of a Schema, driven by a tape: all kinds, every integer to the last bit, optional members or not. */
import type fc from 'fast-check';
import type { JsonObject, JsonValue } from '../../protocol/json.js';
import {
  type AlternateType,
  type IntegerName,
  integerRanges,
  type Member,
  type Schema,
  type StructType,
  type TypeDefinition,
  type TypeRef,
  type UnionType,
} from '../../qapi/schema.js';
import { sometimes } from '../scenario/around.js';
import { Tape, tapes } from '../scenario/tape.js';
import { Heights } from './heights.js';
import { integerOf } from './integers.js';

/** A type, and the same type where widths of integers are known (introspection hides them). */
export interface Typed {
  readonly type: TypeRef;
  readonly twin?: TypeRef;
}

/** Branches of unions that start programs or open files and devices. */
const outward = new Set(['exec', 'file', 'rdma', 'vsock', 'host_device', 'host_cdrom', 'pipe', 'serial', 'parallel']);

/** A member of an object with its type. */
export interface TypedMember {
  readonly member: Member;
  readonly typed: Typed;
}

/** Deepest nesting of objects in generated values; what must go deeper takes its shortest way. */
const deepest = 4;

/** Strings without a meaning anywhere: no path, no address, no program; also such as need care in JSON. */
const plainStrings = [
  '',
  'a',
  'qmpspec',
  'x-1',
  'ä',
  '€ 5',
  '😀',
  'a b',
  '"',
  '\\',
  '\n',
  '0',
  'null',
  '[]',
  'a'.repeat(200),
];

export const isInteger = (name: string): name is IntegerName => Object.hasOwn(integerRanges, name);

export class ValidValues {
  readonly heights: Heights;

  /** @param twin a schema from text that has the same commands, for the widths of integers */
  constructor(
    readonly schema: Schema,
    readonly twin?: Schema,
  ) {
    this.heights = new Heights(schema);
  }

  /** The arguments of a command; `{}` for one without. */
  arguments(tape: Tape, command: string): JsonObject {
    const definition = this.schema.commands.get(command);
    if (definition?.arguments === undefined) return {};
    return this.value(tape, this.argumentsType(command) as Typed) as JsonObject;
  }

  /** The type of a command's arguments; `undefined` for one without. */
  argumentsType(command: string): Typed | undefined {
    const name = this.schema.commands.get(command)?.arguments;
    const twin = this.twin?.commands.get(command)?.arguments;
    if (name === undefined) return undefined;
    return { type: plain(name), ...(twin === undefined ? {} : { twin: plain(twin) }) };
  }

  /** A value; the type must have one ({@link Heights.of} says so). */
  value(tape: Tape, typed: Typed, depth = 0): JsonValue {
    const { type } = typed;
    if (type.list) {
      const possible = this.heights.of(plain(type.name)) < Number.POSITIVE_INFINITY;
      const length = depth >= deepest || !possible ? 0 : tape.number(4);
      return Array.from({ length }, () => this.value(tape, elementOf(typed), depth + 1));
    }
    const definition = this.schema.types.get(type.name);
    return definition === undefined ? this.builtin(tape, typed) : this.defined(tape, definition, typed, depth);
  }

  /** Members of an object type in the order of visits, those of the branches last that `object` chooses. */
  members(typed: Typed, object: JsonObject): TypedMember[] {
    const definition = this.schema.types.get(typed.type.name);
    if (definition?.kind !== 'struct' && definition?.kind !== 'union') return [];
    const own = this.ownMembers(typed, definition);
    if (definition.kind !== 'union') return own;
    const branch = this.branch(typed, definition, String(object[definition.discriminator]));
    return branch === undefined ? own : [...own, ...this.members(branch, object)];
  }

  /** The members that an object has in any case. */
  private ownMembers({ twin }: Typed, definition: StructType | UnionType): TypedMember[] {
    const counterpart = twin === undefined ? undefined : this.twin?.types.get(twin.name);
    const known = counterpart?.kind === 'struct' || counterpart?.kind === 'union' ? counterpart : undefined;
    const twins = known === undefined ? [] : (this.twin?.members(known) ?? []);
    return this.schema.members(definition).map((member) => {
      const same = twins.find(({ name, type }) => name === member.name && type.list === member.type.list);
      return { member, typed: { type: member.type, ...(same === undefined ? {} : { twin: same.type }) } };
    });
  }

  /** The type whose members a value of the discriminator adds; it may be a union itself. */
  private branch({ twin }: Typed, union: UnionType, chosen: string): Typed | undefined {
    const own = union.branches.find(({ value }) => value === chosen);
    if (own === undefined) return undefined;
    const counterpart = twin === undefined ? undefined : this.twin?.types.get(twin.name);
    const same = counterpart?.kind === 'union' ? counterpart.branches.find(({ value }) => value === chosen) : undefined;
    return { type: own.type, ...(same === undefined ? {} : { twin: same.type }) };
  }

  /** The integer type that is meant: an introspected one is as wide as its twin, or of unknown width. */
  integer({ type, twin }: Typed): IntegerName | undefined {
    if (!isInteger(type.name)) return undefined;
    if (this.schema.origin === 'text') return type.name;
    return twin !== undefined && isInteger(twin.name) ? twin.name : undefined;
  }

  private integerValue(tape: Tape, typed: Typed): JsonValue {
    const name = this.integer(typed);
    // Of unknown width: what every width holds.
    return name === undefined ? tape.number(128) : integerOf(tape, name);
  }

  private builtin(tape: Tape, typed: Typed): JsonValue {
    const { name } = typed.type;
    if (isInteger(name)) return this.integerValue(tape, typed);
    switch (name) {
      case 'str':
        return tape.pick(plainStrings);
      case 'bool':
        return sometimes(tape, 50);
      case 'number':
        return tape.pick([0, 1, -1, 0.5, 1e-7, 300.25, -0.001, 1e300, Number.MAX_SAFE_INTEGER]);
      case 'null':
        return null;
      case 'QType':
        return tape.pick(['none', 'qnull', 'qnum', 'qstring', 'qdict', 'qlist', 'qbool']);
      default:
        return tape.pick<JsonValue>([
          null,
          true,
          0,
          2n ** 64n - 1n,
          1.5,
          'any',
          [],
          [1, ['x']],
          {},
          { a: { b: null } },
        ]);
    }
  }

  private defined(tape: Tape, definition: TypeDefinition, typed: Typed, depth: number): JsonValue {
    switch (definition.kind) {
      case 'enum':
        return tape.pick(definition.values).name;
      case 'alternate': {
        const { name, type } = tape.pick(this.branches(definition, depth));
        const twin = this.twinBranch(typed.twin, name, type);
        return this.value(tape, { type, ...(twin === undefined ? {} : { twin }) }, depth + 1);
      }
      default:
        return this.object(tape, typed, depth);
    }
  }

  /** Deep down only the branches that end soonest; never one that cannot end. */
  private branches({ branches }: AlternateType, depth: number): AlternateType['branches'] {
    const heights = branches.map(({ type }) => this.heights.of(type));
    const limit = depth >= deepest ? Math.min(...heights) : Number.MAX_VALUE;
    return branches.filter((_, i) => (heights[i] as number) <= limit);
  }

  /** Branches have no names in introspection: the one of the same JSON type is meant. */
  private twinBranch(twin: TypeRef | undefined, name: string, type: TypeRef): TypeRef | undefined {
    const definition = twin === undefined ? undefined : this.twin?.types.get(twin.name);
    if (definition?.kind !== 'alternate') return undefined;
    const found = definition.branches.find((branch) => branch.name === name && branch.type.list === type.list);
    return found?.type;
  }

  /** The value of a discriminator: deep down one whose branch ends soonest, never one whose branch cannot end. */
  private tag(tape: Tape, union: UnionType, depth: number): string {
    // Programs and files are not ours to touch, whatever a schema offers.
    const all = this.heights.values(union).filter((value, _, { length }) => length === 1 || !outward.has(value));
    const flattest = this.heights.flattest(union, all);
    const possible = all.filter((value) => {
      const branch = union.branches.find((one) => one.value === value);
      return branch === undefined || this.heights.of(branch.type) < Number.POSITIVE_INFINITY;
    });
    return tape.pick(depth >= deepest ? flattest : possible);
  }

  private object(tape: Tape, typed: Typed, depth: number): JsonObject {
    const entries: [string, JsonValue][] = [];
    this.fill(tape, typed, depth, entries);
    return Object.fromEntries(entries);
  }

  private fill(tape: Tape, typed: Typed, depth: number, entries: [string, JsonValue][]): void {
    const definition = this.schema.types.get(typed.type.name);
    if (definition?.kind !== 'struct' && definition?.kind !== 'union') return;
    let chosen = '';
    for (const { member, typed: inner } of this.ownMembers(typed, definition)) {
      const possible = this.heights.of(member.type) < Number.POSITIVE_INFINITY;
      const wanted = !member.optional || (possible && depth < deepest && sometimes(tape, 35));
      const tag = definition.kind === 'union' && member.name === definition.discriminator;
      if (!wanted) continue;
      const value = tag ? this.tag(tape, definition, depth) : this.value(tape, inner, depth + 1);
      if (tag) chosen = String(value);
      entries.push([member.name, value]);
    }
    const branch = definition.kind === 'union' ? this.branch(typed, definition, chosen) : undefined;
    if (branch !== undefined) this.fill(tape, branch, depth, entries);
  }
}

const plain = (name: string): TypeRef => ({ name, list: false });

/** The type of a list's elements. */
export const elementOf = ({ type, twin }: Typed): Typed => ({
  type: plain(type.name),
  ...(twin === undefined ? {} : { twin: plain(twin.name) }),
});

/** Decisions enough for a value with many members. */
const valueTape = 60;

/** Valid values of a type, for fast-check. */
export const validValues = (schema: Schema, type: TypeRef, twin?: Schema): fc.Arbitrary<JsonValue> =>
  tapes(valueTape).map((decisions) => new ValidValues(schema, twin).value(new Tape(decisions), { type }));

/** Valid arguments of a command, for fast-check. */
export const validArguments = (schema: Schema, command: string, twin?: Schema): fc.Arbitrary<JsonObject> =>
  tapes(valueTape).map((decisions) => new ValidValues(schema, twin).arguments(new Tape(decisions), command));
