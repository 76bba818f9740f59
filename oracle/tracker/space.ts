/**
 * The states of the model as far as any tracker has met them, each once: what may happen in one is worked out at its first
 * use and shared by all trackers of the same rules. A campaign meets the same few hundred states millions of times.
 */
import type { MigrationRules } from '../../reference/dialects/migration.js';
import type { ErrorClass } from '../../reference/migration/host.js';
import { command, internal, type ModelState, type Side } from '../../reference/model/index.js';
import { defectMoves, defectOutcomes } from '../known-defects.js';
import type { CommandRef, Emission, Emitted } from './emission.js';
import { genericOutcomes } from './generic.js';
import { nameOf, type Sent } from './sent.js';
import { type Halves, type Tuning, Tunings, tunes, whole } from './tuning.js';

/** What tells of something that may happen. */
interface Told {
  /** What it is, for explanations and for {@link ./urgent.ts}. */
  readonly label: string;
  readonly rows: readonly string[];
  readonly outputs: readonly Emitted[];
  /** Only as a known defect. */
  readonly defect?: string;
  /** Whose step it is; absent for what a command does. */
  readonly side?: Side;
}

const nothing: readonly Emission[] = [];

/** Something that may happen in a state. Where it leads to is looked up when somebody goes there: most are never seen. */
export class Happening {
  readonly label: string;
  readonly rows: readonly string[];
  readonly outputs: readonly Emitted[];
  readonly defect: string | undefined;
  readonly side: Side | undefined;
  private node: StateNode | undefined;
  /** Emissions of the outputs, for the command that they were last asked for. */
  private made: { readonly ref: CommandRef | undefined; readonly emissions: readonly Emission[] } | undefined;

  constructor(
    { label, rows, outputs, defect, side }: Told,
    /** The state after it, with or without its tuning; once {@link next} is known, that of the node, so that equal ones are kept once. */
    public state: ModelState,
    private readonly space: Space,
    /** The tuning after it; absent where that stays as it is. */
    readonly tuning?: Tuning,
  ) {
    this.label = label;
    this.rows = rows;
    this.outputs = outputs;
    this.defect = defect;
    this.side = side;
  }

  get next(): StateNode {
    if (this.node === undefined) {
      this.node = this.space.node(this.state);
      this.state = this.node.state;
    }
    return this.node;
  }

  /** The emissions of the outputs. @param answered what a reply among them answers */
  emitted(origin: Emission['origin'], answered: CommandRef | undefined): readonly Emission[] {
    const known = this.made;
    if (known !== undefined && known.ref === answered) return known.emissions;
    const emissions =
      this.outputs.length === 0
        ? nothing
        : this.outputs.map((output) => this.space.emission(output, origin, this.rows, answered));
    this.made = { ref: answered, emissions };
    return emissions;
  }
}

export class StateNode {
  private own: readonly Happening[] | undefined;
  private answers: Map<string, readonly Happening[]> | undefined;
  private tuned: Map<Tuning, ModelState> | undefined;

  constructor(
    /** Equal for equal states. */
    readonly number: number,
    /** Without its tuning. */
    readonly state: ModelState,
    private readonly space: Space,
  ) {}

  /** The whole state. */
  with(tuning: Tuning): ModelState {
    let state = this.tuned?.get(tuning);
    if (state === undefined) {
      state = { ...this.state, parameters: whole(this.state.parameters, tuning) };
      this.tuned ??= new Map();
      if (this.tuned.size >= mostAnswers) this.tuned.clear();
      this.tuned.set(tuning, state);
    }
    return state;
  }

  /** What may happen by itself; steps that neither show nor change anything are left out. */
  get steps(): readonly Happening[] {
    const { rules, defects } = this.space;
    this.own ??= [
      ...internal(this.state, rules)
        .map((step) => new Happening(step, step.next, this.space))
        .filter((one) => one.outputs.length > 0 || one.next !== this),
      ...defectMoves(this.state, rules, defects).map(
        ({ id, label, outputs, next }) => new Happening({ label, rows: [id], outputs, defect: id }, next, this.space),
      ),
    ];
    return this.own;
  }

  /** What a message may do that is executed here. @param key {@link effectKey} with the tuning, if it depends on that */
  outcomes(sent: Sent, key: string, tuning: Tuning): readonly Happening[] {
    let known = this.answers?.get(key);
    if (known === undefined) {
      known = this.compute(sent, tuning);
      this.answers ??= new Map();
      // Arguments drawn at random make every command another one.
      if (this.answers.size >= mostAnswers) this.answers.clear();
      this.answers.set(key, known);
    }
    return known;
  }

  private compute(sent: Sent, tuning: Tuning): Happening[] {
    const label = nameOf(sent);
    const { space } = this;
    const tuned = tunes(sent);
    const state = tuned ? this.with(tuning) : this.state;
    const stay = (output: Emitted, rows: readonly string[]) => [
      new Happening({ label, rows, outputs: [output] }, state, space),
    ];
    switch (sent.kind) {
      case 'refused':
        return stay({ kind: 'reply', ok: false, desc: sent.desc, errorClass: sent.errorClass as ErrorClass }, [
          'QMP-REPLY-03',
        ]);
      case 'negotiation':
        return stay({ kind: 'reply', ok: true }, ['QMP-NEG-03']);
      case 'neutral':
        return stay({ kind: 'reply', any: true }, []);
      case 'generic':
        return genericOutcomes(sent.name, state, space.rules).map(
          (one) => new Happening({ label, rows: one.rows, outputs: one.outputs }, one.state, space),
        );
      case 'modelled':
        return [
          ...command(state, { name: sent.name, args: sent.args }, space.rules).map(
            ({ label: what, rows, outputs, next }) =>
              new Happening(
                { label: `${label}: ${what}`, rows, outputs },
                next,
                space,
                tuned ? space.halves(next).tuning : undefined,
              ),
          ),
          ...defectOutcomes(state, sent.name, space.defects).map(
            ({ id, label: what, outputs, next }) =>
              new Happening({ label: `${label}: ${what}`, rows: [id], outputs, defect: id }, next, space),
          ),
        ];
    }
  }
}

/** Every part of a state goes into its key: a new one that does not is an error of compilation. */
type Keyed = Pick<ModelState, KeyedName> & Record<Exclude<keyof ModelState, KeyedName>, never>;
type KeyedName =
  | 'out'
  | 'in'
  | 'vm'
  | 'capabilities'
  | 'parameters'
  | 'replyOwed'
  | 'stopOwed'
  | 'unsaid'
  | 'exits'
  | 'exit';

/** Answers, and tunings, kept for a node. */
const mostAnswers = 500;
/** States kept; more than a long campaign needs at a time. */
const mostStates = 20_000;

export class Space {
  private static readonly spaces = new WeakMap<MigrationRules, Map<string, Space>>();
  private nodes = new Map<string, StateNode>();
  private readonly parts = new WeakMap<object, number>();
  private partNumbers = new Map<string, number>();
  private emissions = new Map<string, Emission>();
  private readonly texts = new WeakMap<Emitted, string>();
  private counter = 0;
  private readonly tunings = new Tunings(() => this.unique());

  private constructor(
    readonly rules: MigrationRules,
    /** Ids of the defects that monitors of the target's version are known to have. */
    readonly defects: ReadonlySet<string>,
  ) {}

  /** The one space of these rules and defects. */
  static of(rules: MigrationRules, defects: ReadonlySet<string>): Space {
    const spaces = Space.spaces.get(rules) ?? new Map<string, Space>();
    Space.spaces.set(rules, spaces);
    const key = [...defects].sort().join(' ');
    const space = spaces.get(key) ?? new Space(rules, defects);
    spaces.set(key, space);
    return space;
  }

  /** The parameters of a whole state. */
  halves({ parameters }: ModelState): Halves {
    return this.tunings.halvesOf(parameters);
  }

  /** The one node that stands for all states that are equal, their tunings apart. */
  node(state: ModelState): StateNode {
    const { out, in: incoming, vm, capabilities, parameters, replyOwed, stopOwed, unsaid, exits, exit }: Keyed = state;
    const { structure } = this.tunings.halvesOf(parameters);
    const large = `${this.part(out)},${this.part(incoming)},${this.part(vm)},${this.part(capabilities)},${this.part(structure)}`;
    const key = `${large},${replyOwed},${stopOwed},${unsaid.length === 0 ? '' : this.part(unsaid)},${exits},${exit}`;
    let node = this.nodes.get(key);
    if (node === undefined) {
      if (this.nodes.size >= mostStates) {
        this.nodes = new Map();
        this.emissions = new Map();
      }
      const bare = parameters === structure ? state : { ...state, parameters: structure };
      node = new StateNode(this.unique(), bare, this);
      this.nodes.set(key, node);
    }
    return node;
  }

  /** The parts of a state are mostly shared with the state before it: they are compared once and known by number. */
  private part(value: object): number {
    let number = this.parts.get(value);
    if (number === undefined) {
      const text = JSON.stringify(value);
      number = this.partNumbers.get(text);
      if (number === undefined) {
        if (this.partNumbers.size >= mostStates) this.partNumbers = new Map();
        number = this.unique();
        this.partNumbers.set(text, number);
      }
      this.parts.set(value, number);
    }
    return number;
  }

  /** The one emission that stands for all equal ones, the rows that permit it included. */
  emission(
    output: Emitted,
    origin: Emission['origin'],
    rows: readonly string[],
    answered: CommandRef | undefined,
  ): Emission {
    const ref = output.kind === 'reply' ? answered : undefined;
    const key = `${origin === 'step' ? 's' : 'c'}${ref} ${this.part(rows)} ${this.textOf(output)}`;
    let emission = this.emissions.get(key);
    if (emission === undefined) {
      emission = { number: this.unique(), output, origin, rows, ...(ref === undefined ? {} : { command: ref }) };
      this.emissions.set(key, emission);
    }
    return emission;
  }

  private textOf(output: Emitted): string {
    if (output.kind === 'event' && output.event === 'MIGRATION')
      return output.always ? `!${output.status}` : output.status;
    // Most of them say no more than this.
    if (output.kind === 'reply' && 'ok' in output) {
      if (!output.ok) return `-${output.errorClass} ${output.desc}`;
      if (output.value === undefined) return '+';
    }
    let text = this.texts.get(output);
    if (text === undefined) {
      text = JSON.stringify(output, withBigint);
      this.texts.set(output, text);
    }
    return text;
  }

  /** A number that nothing else in this space has. */
  unique(): number {
    return ++this.counter;
  }
}

const withBigint = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value);

/** Where a unix socket is makes no difference to what may come of a command, if it is anywhere: it is another place in each run. */
const withoutPaths = (name: string, value: unknown) =>
  name === 'uri' && typeof value === 'string' && value.startsWith('unix:') && value !== 'unix:'
    ? 'unix:*'
    : withBigint(name, value);

const argumentKeys = new WeakMap<object, string>();

/** Arguments of one line are the same object each time it is sent, and those of no other command. */
function keyOf(name: string, args: Readonly<Record<string, unknown>>): string {
  let key = argumentKeys.get(args);
  if (key === undefined) {
    key = `${name} ${JSON.stringify(args, withoutPaths)}`;
    argumentKeys.set(args, key);
  }
  return key;
}

/** Text that is equal for messages that do the same, whatever their ids. */
export function effectKey(sent: Sent): string {
  switch (sent.kind) {
    case 'refused':
      return `!${sent.errorClass} ${sent.desc}`;
    case 'modelled':
      return keyOf(sent.name, sent.args);
    default:
      return `${sent.kind} ${sent.name}`;
  }
}
