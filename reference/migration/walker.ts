import type { Alternative, Side } from '../model/index.js';
import {
  command,
  initialState,
  type ModelState,
  type Output,
  type ReplyValue,
  type StartOptions,
  wholeStep,
} from '../model/index.js';
import { CommandError, type MigrationHost } from './host.js';

/** The engine tried to do what the model does not permit: a defect of the engine, never of a peer or a client. */
export class ImpossibleStep extends Error {
  override readonly name = 'ImpossibleStep';
}

/** What an engine adds to a step: texts that only it knows. */
export interface StepDetail {
  /** Replaces the `*` of an outgoing error, see `Outgoing.error`. */
  readonly error?: string;
}

/**
 * Walks the model: holds its present state, takes the one step that really happened, and acts the outputs out on the
 * machine. Nothing else in the engines changes a status, raises an event or touches the run state.
 */
export class Walker {
  #state: ModelState;
  /** Number that the next MIGRATION_PASS carries (MIG-CMD-EVT-04). */
  passNumber: () => number = () => 1;

  constructor(
    private readonly host: MigrationHost,
    options: StartOptions = {},
  ) {
    this.#state = initialState(host.dialect.migration, options);
  }

  /** The model's state, with the machine's present run state. */
  get state(): ModelState {
    const { runState, autostart } = this.host;
    const { vm } = this.#state;
    if (vm.runState !== runState || vm.autostart !== autostart) {
      this.#state = { ...this.#state, vm: { runState, autostart } };
    }
    return this.#state;
  }

  get rules() {
    return this.host.dialect.migration;
  }

  /** The process was started with `-incoming`. */
  startIncoming(origin: 'defer' | 'uri'): void {
    const { in: incoming } = initialState(this.rules, { incoming: origin });
    this.#state = { ...this.state, in: incoming };
  }

  /** The same walker, taking the steps of one side only: both sides use some labels. */
  side(side: Side): SideWalker {
    return new SideWalker(this, side);
  }

  can(side: Side, label: string): boolean {
    return this.#find(side, label) !== undefined;
  }

  /** Takes the step with this label. @throws ImpossibleStep naming step and state */
  step(side: Side, label: string, detail: StepDetail = {}): void {
    const step = this.#find(side, label);
    if (step === undefined)
      throw new ImpossibleStep(`the model permits no ${side} step '${label}' in ${this.#where()}`);
    this.#take(step, detail);
  }

  /** Every alternative of a command in the present state. */
  alternatives(name: string, args: Readonly<Record<string, unknown>>): Alternative[] {
    return command(this.state, { name, args }, this.rules);
  }

  /**
   * Carries a command out that the command line stands for: before anybody listens, and past all planted faults.
   * @throws CommandError if it is refused
   */
  configure(name: string, args: Readonly<Record<string, unknown>>): void {
    const [{ outputs, next }] = this.alternatives(name, args) as [Alternative];
    for (const output of outputs) {
      if (output.kind !== 'event' && !output.ok) throw new CommandError(output.desc, output.errorClass);
    }
    this.#state = next;
  }

  /**
   * Carries a command out as the alternative with this label, or the only one.
   * @returns what the model says about the `return` value
   * @throws CommandError if the alternative refuses; `desc` replaces a text that the environment decides
   */
  command(
    name: string,
    args: Readonly<Record<string, unknown>>,
    label?: string,
    desc?: string,
  ): ReplyValue | undefined {
    const permitted = this.alternatives(name, args);
    const chosen = label === undefined ? permitted[0] : permitted.find((one) => one.label === label);
    if (chosen === undefined) {
      throw new ImpossibleStep(`the model permits no outcome '${label}' of '${name}' in ${this.#where()}`);
    }
    return this.#take(chosen, desc === undefined ? {} : { error: desc });
  }

  #find(side: Side, label: string): Alternative | undefined {
    return wholeStep(this.state, this.rules, side, label);
  }

  #where(): string {
    const { out, in: incoming, vm } = this.state;
    const source = `outgoing ${out.status}/${out.phase}`;
    return `${source}, incoming ${incoming.status}/${incoming.phase}/${incoming.pc}, run state ${vm.runState}`;
  }

  #take(permitted: Alternative, detail: StepDetail): ReplyValue | undefined {
    const chosen = this.host.distort?.(permitted, this.state) ?? permitted;
    const { next } = chosen;
    const error = next.out.error === '*' && detail.error !== undefined ? detail.error : next.out.error;
    this.#state = error === next.out.error ? next : { ...next, out: { ...next.out, error } };
    let reply: ReplyValue | undefined;
    let refusal: CommandError | undefined;
    for (const output of chosen.outputs) {
      if (output.kind === 'event') this.#raise(output);
      else if (output.ok) reply = output.value;
      else
        refusal = new CommandError(
          output.desc === '*' ? (detail.error ?? output.desc) : output.desc,
          output.errorClass,
        );
    }
    if (this.host.runState !== next.vm.runState) this.host.setRunState(next.vm.runState);
    if (this.host.autostart !== next.vm.autostart) this.host.autostart = next.vm.autostart;
    if (next.exit !== null) this.host.exit(next.exit);
    if (refusal !== undefined) throw refusal;
    return reply;
  }

  #raise(output: Extract<Output, { kind: 'event' }>): void {
    switch (output.event) {
      case 'MIGRATION':
        this.host.emit('MIGRATION', { status: output.status });
        break;
      case 'MIGRATION_PASS':
        this.host.emit('MIGRATION_PASS', { pass: this.passNumber() });
        break;
      case 'STOP':
        this.host.stopGuest(output.runState);
        break;
      case 'RESUME':
        this.host.startGuest();
        break;
      default:
        this.host.emit(output.event, output.data);
        break;
    }
  }
}

/** A {@link Walker} seen from one side of the process. */
export class SideWalker {
  constructor(
    private readonly walker: Walker,
    private readonly side: Side,
  ) {}

  get state(): ModelState {
    return this.walker.state;
  }

  get rules() {
    return this.walker.rules;
  }

  can(label: string): boolean {
    return this.walker.can(this.side, label);
  }

  /** @throws ImpossibleStep */
  step(label: string, detail: StepDetail = {}): void {
    this.walker.step(this.side, label, detail);
  }
}
