import { type Clock, hostClock } from '../../protocol/clock.js';
import type { Drives } from '../block/drives.js';
import type { Dialect } from '../dialects/dialect.js';
import { AdoptedMachine } from '../migration/adopted-machine.js';
import type { MigrationHost, RunState } from '../migration/host.js';
import type { MigrationNetwork } from '../migration/network.js';
import type { WireFaults } from '../migration/wire-faults.js';
import type { Alternative, ModelState } from '../model/index.js';
import type { GuestRam } from '../ram/guest-ram.js';
import { MachineState } from './machine-state.js';

export interface MachineOptions {
  readonly dialect: Dialect;
  readonly ram: GuestRam;
  readonly runState: RunState;
  /** Started with `--preconfig`: most commands wait for {@link Machine.exitPreconfig}. */
  readonly preconfig: boolean;
  /** False for `-S`. */
  readonly autostart: boolean;
  /** Planted faults that change steps of the model. */
  readonly distort?: (step: Alternative, before: ModelState) => Alternative;
  /** 16 bytes; absent if the machine was given none. */
  readonly uuid?: Buffer;
  /** `-global migration.NAME=VALUE`. */
  /** Takes whatever machine a stream brings. */
  readonly anyMachine?: boolean;
  readonly drives?: Drives;
  readonly properties?: ReadonlyMap<string, string>;
  /** Planted faults of the data path. */
  readonly wire?: WireFaults;
  readonly allowExec: boolean;
  readonly allowRemote: boolean;
  readonly clock?: Clock;
  readonly network?: MigrationNetwork;
  readonly emit: (event: string, data?: Record<string, unknown>) => void;
  readonly log: (line: string) => void;
  readonly exit: (status: number) => void;
}

/** The machine behind the monitors: a guest without devices, as `-M none` has it. */
export class Machine implements MigrationHost {
  readonly dialect: Dialect;
  readonly clock: Clock;
  readonly network?: MigrationNetwork;
  readonly ram: GuestRam;
  readonly adopted?: AdoptedMachine;
  readonly drives?: Drives;
  readonly uuid?: Buffer;
  readonly wire?: WireFaults;
  readonly allowExec: boolean;
  readonly allowRemote: boolean;
  /** Rewrites what a reset rewrites; set by whoever loaded it (`-device loader`). */
  onReset: () => void = () => {};
  /** Brings the machine to life after `--preconfig`: starts the guest or waits for a migration. */
  onStart: () => void = () => {};
  /** Slows the guest's processors down by this many percent. */
  throttleGuest: (percent: number) => void = () => {};
  /** Told when the process is about to end at a client's or a signal's request. */
  onShutdown: () => void = () => {};

  readonly #options: MachineOptions;
  readonly #state: MachineState;
  #deferred: (() => void)[] = [];
  #preconfig: boolean;
  #shutDown = false;

  constructor(options: MachineOptions) {
    this.#options = options;
    this.dialect = options.dialect;
    this.clock = options.clock ?? hostClock;
    if (options.network !== undefined) this.network = options.network;
    this.ram = options.ram;
    if (options.anyMachine) this.adopted = new AdoptedMachine(options.ram, (line) => this.log(line));
    if (options.drives !== undefined) this.drives = options.drives;
    if (options.uuid !== undefined) this.uuid = options.uuid;
    if (options.wire !== undefined) this.wire = options.wire;
    this.allowExec = options.allowExec;
    this.allowRemote = options.allowRemote;
    this.#state = new MachineState(
      options.runState,
      options.dialect.protocol.transitions,
      (event) => this.emit(event),
      this.clock,
    );
    this.#state.autostart = options.autostart;
    this.#preconfig = options.preconfig;
  }

  get properties(): ReadonlyMap<string, string> {
    return this.#options.properties ?? new Map();
  }

  /** Most properties are on unless the command line says otherwise. */
  property(name: string, usual = true): boolean {
    const value = this.properties.get(name);
    return value === undefined ? usual : !/^(off|no|false|n)$/.test(value);
  }

  /** Of the machine that came, where any is taken. */
  get machineName(): string {
    return this.adopted?.name ?? 'none';
  }

  get runState(): RunState {
    return this.#state.runState;
  }
  get autostart(): boolean {
    return this.#state.autostart;
  }
  set autostart(run: boolean) {
    this.#state.autostart = run;
  }
  get guestTime(): number {
    return this.#state.guestTime;
  }
  set guestTime(ms: number) {
    this.#state.guestTime = ms;
  }
  setRunState(state: RunState): void {
    this.#state.setRunState(state);
  }
  stopGuest(state: RunState): void {
    this.#state.stopGuest(state);
  }
  startGuest(): void {
    this.#state.startGuest();
  }
  emit(event: string, data?: Record<string, unknown>): void {
    this.#options.emit(event, data);
  }
  log(line: string): void {
    this.#options.log(line);
  }
  exit(status: number): void {
    this.#options.exit(status);
  }
  distort(step: Alternative, before: ModelState): Alternative {
    return this.#options.distort?.(step, before) ?? step;
  }

  /** True until `x-exit-preconfig` (QMP-RUN-24, QMP-D-60). */
  get preconfig(): boolean {
    return this.#preconfig;
  }

  /** Goes on with the start (QMP-RUN-25). */
  exitPreconfig(): void {
    this.#preconfig = false;
    this.#request(() => {
      this.emit('RESET', this.#eventData('none'));
      this.onStart();
    });
  }

  /** Requests of a client that act on the machine from outside any command (QMP-EVT-10..12, QMP-D-42). */
  requestReset(): void {
    this.#request(() => this.#reset());
  }
  requestPowerdown(): void {
    this.#request(() => this.emit('POWERDOWN'));
  }
  requestShutdown(reason: string): void {
    this.#request(() => this.shutdown(reason));
  }

  /** Does what the last command requested; to be called once its reply has been written. */
  runDeferred(): void {
    const actions = this.#deferred;
    if (actions.length === 0) return;
    this.#deferred = [];
    for (const action of actions) action();
  }

  /** Event SHUTDOWN, then the end of the process with status 0 (QMP-EVT-12, QMP-EVT-13). */
  shutdown(reason: string): void {
    if (this.#shutDown) return;
    this.#shutDown = true;
    this.emit('SHUTDOWN', this.#eventData(reason));
    this.onShutdown();
    this.exit(0);
  }

  /** Resets the guest; leads out of every state in which it does not run, but for two (QMP-RUN-01..06). */
  #reset(): void {
    this.onReset();
    this.emit('RESET', this.#eventData('host-qmp-system-reset'));
    const state = this.runState;
    const keeps =
      state === 'running' ||
      state === 'inmigrate' ||
      (state === 'finish-migrate' && this.dialect.protocol.resetKeepsFinishMigrate);
    if (!keeps) this.setRunState('prelaunch');
  }

  #eventData(reason: string): Record<string, unknown> {
    return this.dialect.protocol.reasonInEvents ? { guest: false, reason } : { guest: false };
  }

  #request(action: () => void): void {
    if (this.dialect.protocol.requestsAct === 'before-reply') action();
    else this.#deferred.push(action);
  }
}
