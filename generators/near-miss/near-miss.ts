/** Commands that are right but for one thing, each with the error that it must provoke. */
import type fc from 'fast-check';
import { stringifyJson } from '../../protocol/json.js';
import type { Schema } from '../../qapi/schema.js';
import type { Dialect } from '../../reference/dialects/dialect.js';
import type { ProtocolRules } from '../../reference/dialects/protocol.js';
import type { ErrorClass } from '../../reference/migration/host.js';
import { loadSchema } from '../../reference/schema/index.js';
import { mayBeSent } from '../harmless-commands.js';
import { sometimes } from '../scenario/around.js';
import { Tape, tapes } from '../scenario/tape.js';
import { type Typed, ValidValues } from '../values/valid.js';
import { type FaultKind, faultsAt } from './faults.js';
import { placesOf } from './places.js';
import { almostText } from './text.js';

export interface NearMiss {
  readonly kind: FaultKind | EnvelopeFault;
  readonly command: string;
  /** The message without its id, which goes before the closing brace: see {@link textOf}. */
  readonly body: string;
  readonly expected: {
    readonly errorClass: ErrorClass;
    /** Texts that the error may have. */
    readonly desc: readonly string[] | RegExp;
    /** False where the message cannot be read, so that its id is unknown. */
    readonly id: boolean;
  };
}

export type EnvelopeFault =
  | 'unknown command'
  | 'wrong case of a command'
  | 'arguments are no object'
  | 'command is no string'
  | 'no command'
  | 'unknown envelope member';

/** The message with this id. */
export const textOf = ({ body }: NearMiss, id: number | string): string =>
  body === '{' ? `{"id":${stringifyJson(id)}}` : `${body},"id":${stringifyJson(id)}}`;

const generic = (desc: readonly string[] | RegExp, id = true): NearMiss['expected'] => ({
  errorClass: 'GenericError',
  desc,
  id,
});

export interface NearMissOptions {
  readonly schema: Schema;
  readonly rules: ProtocolRules;
  /** A schema from text for the widths of integers, where `schema` is an introspection. */
  readonly twin?: Schema;
  /** Commands to choose from, beside which others are left alone; all that may be sent when absent. */
  readonly commands?: ReadonlySet<string>;
}

/** Draws near-misses for one target. */
export class NearMisses {
  private readonly values: ValidValues;
  private readonly commands: readonly string[];

  constructor(private readonly options: NearMissOptions) {
    const { schema, twin, commands } = options;
    this.values = new ValidValues(schema, twin);
    this.commands = [...schema.commands.values()]
      .filter(({ name, gen }) => gen && mayBeSent(name) && (commands === undefined || commands.has(name)))
      .filter(({ arguments: type }) => type === undefined || this.values.heights.of({ name: type, list: false }) < 100)
      .map(({ name }) => name);
  }

  /** The near-miss that a tape stands for. */
  draw(tape: Tape): NearMiss {
    const command = tape.pick(this.commands);
    if (sometimes(tape, 12)) return this.envelope(tape, command);
    const typed: Typed | undefined = this.values.argumentsType(command);
    const value = typed === undefined ? {} : this.values.value(tape, typed);
    if (typed === undefined) return this.withoutArguments(tape, command);
    const faults = placesOf(this.values, value, typed).flatMap((place) => {
      const found = faultsAt(this.values, place, this.options.rules);
      // One of each kind at each place: else the many samples of wrong types crowd out everything rare.
      const kinds = [...new Set(found.map(({ kind }) => kind))];
      return kinds.map((kind) => found.filter((one) => one.kind === kind));
    });
    const fault = tape.pick(tape.pick(faults));
    return {
      kind: fault.kind,
      command,
      body: `{"execute":"${command}","arguments":${almostText(fault.arguments)}`,
      expected: generic(fault.desc, fault.syntax !== true),
    };
  }

  private withoutArguments(tape: Tape, command: string): NearMiss {
    const member = tape.pick(['qmpspec-none', 'a', 'execute']);
    return {
      kind: 'unknown member',
      command,
      body: `{"execute":"${command}","arguments":{"${member}":${tape.pick(['1', 'null', '{}'])}}`,
      expected: generic([`Parameter '${member}' is unexpected`]),
    };
  }

  /** Faults around the arguments (qmp-protocol.md §4). */
  private envelope(tape: Tape, command: string): NearMiss {
    const miss = (
      kind: EnvelopeFault,
      body: string,
      desc: string,
      errorClass: ErrorClass = 'GenericError',
    ): NearMiss => ({
      kind,
      command,
      body,
      expected: { errorClass, desc: [desc], id: true },
    });
    const unknown = (kind: EnvelopeFault, name: string) =>
      miss(kind, `{"execute":"${name}"`, `The command ${name} has not been found`, 'CommandNotFound');
    return tape.pick<() => NearMiss>([
      () => unknown('unknown command', 'qmpspec-none'),
      () => unknown('unknown command', `${command}-`),
      () => unknown('wrong case of a command', command.toUpperCase()),
      () => unknown('unknown command', ''),
      () =>
        miss(
          'arguments are no object',
          `{"execute":"${command}","arguments":${tape.pick(['[]', 'null', '1', '"{}"', '[{}]', 'true'])}`,
          "QMP input member 'arguments' must be an object",
        ),
      () =>
        miss(
          'command is no string',
          `{"execute":${tape.pick(['1', 'null', `["${command}"]`, `{"${command}":1}`])}`,
          "QMP input member 'execute' must be a string",
        ),
      () => miss('no command', '{', "QMP input lacks member 'execute'"),
      () => miss('no command', '{"arguments":{}', "QMP input lacks member 'execute'"),
      () =>
        miss(
          'unknown envelope member',
          `{"execute":"${command}","argument":{}`,
          "QMP input member 'argument' is unexpected",
        ),
    ])();
  }
}

/** Near-misses for a target, for fast-check. */
export const nearMisses = (options: NearMissOptions): fc.Arbitrary<NearMiss> => {
  const source = new NearMisses(options);
  return tapes(80).map((decisions) => source.draw(new Tape(decisions)));
};

const known = new WeakMap<Schema, NearMisses>();

/** Near-misses of all commands of a target. */
export function nearMissesOf(schema: Schema, dialect: Dialect): NearMisses {
  let misses = known.get(schema);
  if (misses === undefined) {
    const twin = schema.origin === 'introspection' ? { twin: loadSchema(dialect.name) } : {};
    misses = new NearMisses({ schema, rules: dialect.protocol, ...twin });
    known.set(schema, misses);
  }
  return misses;
}
