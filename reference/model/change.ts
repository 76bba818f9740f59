import type { ErrorClass, RunState } from '../migration/host.js';
import type { Output, ReplyValue } from './output.js';
import type { Incoming, IncomingPhase, MigrationStatus, ModelState, Outgoing, OutgoingPhase } from './state.js';

/** Collects what one row does, in the order of the row's outputs column. */
export class Change {
  readonly outputs: Output[] = [];

  constructor(public state: ModelState) {}

  /** Outgoing status changes: `M(status)`. */
  to(status: MigrationStatus, phase: OutgoingPhase = 'idle'): this {
    this.outputs.push({ kind: 'event', event: 'MIGRATION', status });
    return this.out({ status, phase });
  }

  /** Incoming status changes: `M(status)`. */
  inTo(status: MigrationStatus, phase: IncomingPhase = 'idle'): this {
    this.outputs.push({ kind: 'event', event: 'MIGRATION', status });
    return this.incoming({ status, phase });
  }

  /** `M(setup)` of the incoming side, which is no change of state and does not look at `events` (MIG-SM-E05). */
  announceSetup(): this {
    this.outputs.push({ kind: 'event', event: 'MIGRATION', status: 'setup', always: true });
    return this;
  }

  /** An outgoing migration ends in `status`; what `blk` and `inc` borrowed is given back (MIG-CMD-MIG-20). */
  end(status: MigrationStatus, phase: OutgoingPhase = 'idle'): this {
    this.to(status, phase);
    if (!this.state.out.borrowedBlock) return this;
    this.state = {
      ...this.state,
      capabilities: this.state.capabilities.filter((name) => name !== 'block'),
      parameters: { ...this.state.parameters, 'block-incremental': false },
    };
    return this.out({ borrowedBlock: false });
  }

  out(patch: Partial<Outgoing>): this {
    this.state = { ...this.state, out: { ...this.state.out, ...patch } };
    return this;
  }

  phase(phase: OutgoingPhase): this {
    return this.out({ phase });
  }

  incoming(patch: Partial<Incoming>): this {
    this.state = { ...this.state, in: { ...this.state.in, ...patch } };
    return this;
  }

  /** `P`. */
  pass(): this {
    this.outputs.push({ kind: 'event', event: 'MIGRATION_PASS' });
    return this;
  }

  /** The guest stops for `runState`: `S` only if it was running (MIG-SM-E04). */
  stop(runState: RunState): this {
    if (this.state.vm.runState === 'running') this.outputs.push({ kind: 'event', event: 'STOP', runState });
    return this.runState(runState);
  }

  /** The guest runs: `R` only if it did not (MIG-SM-E04). */
  resume(): this {
    if (this.state.vm.runState !== 'running') this.outputs.push({ kind: 'event', event: 'RESUME' });
    return this.runState('running');
  }

  runState(runState: RunState): this {
    this.state = { ...this.state, vm: { ...this.state.vm, runState } };
    return this;
  }

  autostart(autostart: boolean): this {
    this.state = { ...this.state, vm: { ...this.state.vm, autostart } };
    return this;
  }

  event(event: 'RESET' | 'COLO_EXIT', data: Readonly<Record<string, unknown>>): this {
    this.outputs.push({ kind: 'event', event, data });
    return this;
  }

  /** `↵ {}` or `↵ value`. */
  reply(value?: ReplyValue): this {
    this.outputs.push(value === undefined ? { kind: 'reply', ok: true } : { kind: 'reply', ok: true, value });
    return this;
  }

  /** The reply comes later, as a step of its own: events may come before it. */
  oweReply(): this {
    this.state = { ...this.state, replyOwed: true };
    return this;
  }

  /** The guest has stopped; `S`, and then the reply, come later. */
  oweStop(): this {
    this.state = { ...this.state, stopOwed: true };
    return this.oweReply();
  }

  /** `S` of a guest that stopped before, and may have been taken further since. */
  tellStop(): this {
    this.outputs.push({ kind: 'event', event: 'STOP', runState: this.state.vm.runState });
    this.state = { ...this.state, stopOwed: false };
    return this;
  }

  /** `↵ error`. */
  refuse(desc: string, errorClass: ErrorClass = 'GenericError'): this {
    this.outputs.push({ kind: 'reply', ok: false, desc, errorClass });
    return this;
  }

  /** The process ends. */
  exit(status: number): this {
    this.state = { ...this.state, exit: status };
    return this;
  }
}
