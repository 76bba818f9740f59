import { writeFileSync } from 'node:fs';
import type { Schema } from '../../qapi/schema.js';
import { type Dialect, dialects, referencePackage } from '../dialects/dialect.js';
import type { Planted } from '../faults/index.js';
import { SyntheticGuest } from '../guest/synthetic-guest.js';
import { reasonOf } from '../migration/errno.js';
import { CommandError, type RunState } from '../migration/host.js';
import type { Migration } from '../migration/index.js';
import { createGuestRam } from '../ram/guest-ram.js';
import { descriptorCommands } from './commands/descriptor-commands.js';
import { deviceCommands } from './commands/device-commands.js';
import { humanCommands } from './commands/human.js';
import { identityCommands } from './commands/identity.js';
import { runControlCommands } from './commands/run-control.js';
import { DescriptorSets } from './descriptors.js';
import { Dispatcher } from './dispatcher.js';
import type { Endpoint } from './endpoint.js';
import type { CreateEngine } from './engine.js';
import { type Environment, hostEnvironment } from './environment.js';
import { EventHub } from './event-hub.js';
import { ImageLoader } from './loader.js';
import { Machine } from './machine.js';
import { Monitor, type MonitorCore } from './monitor.js';
import { openDrives } from './open-drives.js';
import type { MonitorSpec, Options } from './options.js';
import { CommandRegistry } from './registry.js';
import { UsageError } from './usage-error.js';

/** What the greeting and `--version` say behind the version number. */
export const packageName = referencePackage;

/** The rest of the program, loaded while the first clients are already connecting. */
export interface Parts {
  readonly schema: (dialect: Dialect) => Schema;
  readonly createEngine: CreateEngine;
}

// Longest time that the end of the process waits for clients that do not read, in milliseconds.
const flushTime = 1000;

/**
 * What the monitors share. A class: an object with a getter of its own has a shape of its own, which keeps all that the getter
 * sees in memory until the next full collection.
 */
class Shared implements MonitorCore {
  readonly rules: MonitorCore['rules'];
  readonly version: object;
  readonly dispatcher: Dispatcher;
  readonly events: EventHub;
  readonly gate: MonitorCore['gate'];
  readonly log: MonitorCore['log'];
  readonly clock: MonitorCore['clock'];
  declare readonly faults?: NonNullable<MonitorCore['faults']>;
  readonly #registry: () => CommandRegistry;

  /** @param registry gives it once there is one */
  constructor(parts: Omit<MonitorCore, 'registry'>, registry: () => CommandRegistry) {
    this.rules = parts.rules;
    this.version = parts.version;
    this.dispatcher = parts.dispatcher;
    this.events = parts.events;
    this.gate = parts.gate;
    this.log = parts.log;
    this.clock = parts.clock;
    if (parts.faults !== undefined) this.faults = parts.faults;
    this.#registry = registry;
  }

  get registry(): CommandRegistry {
    return this.#registry();
  }
}

/** One machine with its monitors, from the command line to the end of the process. */
export class Program {
  readonly machine: Machine;

  readonly #options: Options;
  readonly #dialect: Dialect;
  readonly #version: object;
  readonly #events: EventHub;
  readonly #dispatcher: Dispatcher;
  readonly #sets = new DescriptorSets();
  readonly #monitors: Monitor[] = [];
  readonly #endpoints: Endpoint[] = [];
  readonly #environment: Environment;
  readonly #letGo: () => void;
  readonly #onExit: (status: number) => void;
  readonly #planted: Planted | undefined;
  #registry: CommandRegistry | undefined;
  #engine: Migration | undefined;
  #guest: SyntheticGuest | undefined;
  #exiting = false;

  /**
   * @param onExit is called once, after everything has been flushed and removed.
   * @param planted faults (`--fault`); absent on an honest monitor
   */
  constructor(
    options: Options,
    onExit: (status: number) => void,
    planted?: Planted,
    environment: Environment = hostEnvironment,
  ) {
    const { clock, network, wallClock, ramMemory } = environment;
    this.#environment = environment;
    this.#letGo = environment.keepAlive();
    this.#options = options;
    this.#planted = planted;
    this.#onExit = onExit;
    this.#dialect = dialects[options.dialect];
    const { major, minor, micro } = this.#dialect.version;
    this.#version = { qemu: { micro, minor, major }, package: packageName };
    this.#events = new EventHub(this.#dialect.protocol, clock, wallClock);
    this.#dispatcher = new Dispatcher(clock, () => this.machine.runDeferred());
    const incoming = options.incoming !== undefined;
    const initial: RunState = incoming ? 'inmigrate' : 'prelaunch';
    this.machine = new Machine({
      dialect: this.#dialect,
      ram: createGuestRam([{ name: options.backend ?? 'ram', size: options.memory }], ramMemory),
      runState: options.preconfig ? (this.#dialect.protocol.preconfigState ? 'preconfig' : 'prelaunch') : initial,
      preconfig: options.preconfig,
      autostart: !options.startStopped,
      allowExec: options.allowExec,
      allowRemote: options.allowRemote,
      clock,
      ...(network === undefined ? {} : { network }),
      emit: (event, data) => this.#emit(event, data),
      ...(options.uuid === undefined ? {} : { uuid: Buffer.from(options.uuid.replaceAll('-', ''), 'hex') }),
      properties: options.migrationProperties,
      drives: openDrives(options.drives),
      anyMachine: options.anyMachine,
      ...(planted === undefined ? {} : { distort: (step, before) => planted.step(step, before), wire: planted.wire }),
      log: (line) => this.#log(line),
      exit: (status) => this.#exit(status),
    });
    this.machine.onShutdown = () => this.#engine?.shutdown();
  }

  /**
   * Opens the monitors, loads the rest of the program, brings the machine to life. Resolves when commands are executed.
   * @throws UsageError or CommandError if the command line asks for something impossible.
   */
  async start(load: () => Promise<Parts>): Promise<void> {
    const { loaders, backend, backends } = this.#options;
    const memory = backend === undefined ? undefined : backends.get(backend);
    const loader = new ImageLoader(this.machine.ram, loaders, this.#environment.readImage, memory);
    loader.load();
    this.machine.onReset = () => loader.load();
    this.#writePidfile();
    for (const spec of this.#options.monitors) await this.#openMonitor(spec);
    const parts = await load();
    this.#wire(parts);
    this.#startGuest();
    await this.#bringUp();
    this.#dispatcher.start();
  }

  /** @throws UsageError when its pages lie outside RAM */
  #startGuest(): void {
    const { guest: options } = this.#options;
    if (options === undefined) return;
    const { machine } = this;
    const executing = () => machine.runState === 'running' && this.#engine?.ramIncomplete !== true;
    try {
      this.#guest = new SyntheticGuest({ ram: machine.ram, clock: machine.clock, executing }, options);
    } catch (error) {
      if (error instanceof RangeError) throw new UsageError(`--guest: ${error.message}`);
      throw error;
    }
    machine.throttleGuest = (percent) => this.#guest?.throttle(percent);
    this.#guest.start();
  }

  /** SIGTERM and its like (QMP-EVT-13). */
  terminate(): void {
    this.machine.shutdown('host-signal');
  }

  /** Ends at once, as SIGKILL does: nothing is flushed, nothing announced; `onExit` is not called. */
  kill(): void {
    this.#exiting = true;
    this.#dispatcher.stop();
    this.#guest?.stop();
    this.#events.close();
    this.#engine?.close();
    for (const endpoint of this.#endpoints) endpoint.close();
    this.#letGo();
  }

  /** Planted faults may lose, double or change an event. */
  #emit(event: string, data?: Readonly<Record<string, unknown>>): void {
    const raised = data === undefined ? { event } : { event, data };
    for (const one of this.#planted?.events(raised) ?? [raised]) this.#events.emit(one.event, one.data);
  }

  #log(line: string): void {
    this.#environment.log(line, this.#options.timestamps);
  }

  #writePidfile(): void {
    const { pidfile } = this.#options;
    if (pidfile === undefined) return;
    try {
      writeFileSync(pidfile, `${process.pid}\n`);
    } catch (error) {
      throw new UsageError(`cannot create PID file: Could not create '${pidfile}': ${reasonOf(error)}`);
    }
  }

  /**
   * Adds a monitor, which serves whatever is attached to it.
   * @throws UsageError if the options do not go together in this dialect.
   */
  createMonitor(spec: MonitorSpec): Monitor {
    const { protocol } = this.#dialect;
    const multiplexed = spec.address.kind === 'stdio' && spec.address.multiplexed;
    if (spec.oob !== undefined && protocol.oobOffer === 'always')
      throw new UsageError(`${spec.option}: Invalid parameter 'x-oob'`);
    if (spec.oob && multiplexed)
      throw new UsageError(`${spec.option}: out-of-band execution is not possible on a multiplexed character device`);
    const monitor = new Monitor(this.#core(), {
      pretty: spec.pretty,
      oobOffered: protocol.oobOffer === 'always' || spec.oob === true,
      greetings: multiplexed ? protocol.muxGreetings : 1,
    });
    monitor.onDisconnect = () => {
      if (protocol.fdsetsNeedMonitor && !this.#monitors.some(({ connected }) => connected)) this.#sets.clear();
    };
    this.#monitors.push(monitor);
    return monitor;
  }

  async #openMonitor(spec: MonitorSpec): Promise<void> {
    const monitor = this.createMonitor(spec);
    const { address, option } = spec;
    const endpoint = await this.#environment.openEndpoint(address, option, this.#options.allowRemote, (channel) => {
      if (this.#exiting) void channel.end();
      else monitor.attach(channel);
    });
    this.#endpoints.push(endpoint);
    await endpoint.ready;
  }

  #core(): MonitorCore {
    const registry = () => {
      if (!this.#registry) throw new Error('a command came before the machine was ready');
      return this.#registry;
    };
    const parts: Omit<MonitorCore, 'registry'> = {
      rules: this.#dialect.protocol,
      version: this.#version,
      dispatcher: this.#dispatcher,
      events: this.#events,
      gate: ({ name, allowPreconfig, features }) => {
        if (this.#options.rejectsDeprecated && features.some((one) => one.name === 'deprecated'))
          throw new CommandError(`Deprecated command ${name} disabled by policy`, 'CommandNotFound');
        if (this.machine.preconfig && !allowPreconfig)
          throw new CommandError(this.#dialect.protocol.preconfigError(name));
      },
      log: (line) => this.#log(line),
      clock: this.#environment.clock,
      ...(this.#planted?.talk === undefined ? {} : { faults: this.#planted.talk }),
    };
    return new Shared(parts, registry);
  }

  #wire({ schema, createEngine }: Parts): void {
    const { machine } = this;
    const { guestName } = this.#options;
    const { major, minor, micro } = this.#dialect.version;
    const registry = () => this.#registry!;
    this.#engine = createEngine(machine);
    const tables = [
      identityCommands({ dialect: this.#dialect, version: this.#version, guestName, registry }),
      runControlCommands(machine),
      deviceCommands(machine),
      descriptorCommands(this.#sets, (id) => this.#monitors.find((monitor) => monitor.id === id)!.descriptors),
      humanCommands({ machine, version: `${major}.${minor}.${micro} (${packageName})`, guestName, registry }),
      this.#engine.commands,
    ];
    this.#registry = new CommandRegistry(schema(this.#dialect), this.#planted?.commands(tables) ?? tables);
  }

  /** Waits for a migration, or starts the guest unless `-S` says otherwise (QMP-RUN-10). */
  async #bringUp(): Promise<void> {
    const { machine } = this;
    const { incoming } = this.#options;
    const begin = async () => {
      if (incoming === undefined) {
        if (machine.autostart) machine.startGuest();
        return;
      }
      machine.setRunState('inmigrate');
      if (incoming === 'defer') this.#engine!.deferIncoming();
      else await this.#engine!.startIncoming(incoming);
    };
    if (!machine.preconfig) {
      await begin();
      return;
    }
    machine.onStart = () => {
      if (machine.runState === 'preconfig') machine.setRunState('prelaunch');
      begin().catch((error: unknown) => this.#refuseIncoming(error));
    };
  }

  #refuseIncoming(error: unknown): void {
    this.#log(`-incoming ${this.#options.incoming}: ${error instanceof Error ? error.message : String(error)}`);
    this.#exit(1);
  }

  #exit(status: number): void {
    if (this.#exiting) return;
    this.#exiting = true;
    this.#dispatcher.stop();
    // A reply that is being made is still to be written (QMP-D-42).
    this.#environment.clock.soon(() => void this.#leave(status));
  }

  async #leave(status: number): Promise<void> {
    this.#events.close();
    for (const endpoint of this.#endpoints) endpoint.close();
    let calm = () => {};
    const patience = new Promise<void>((resolve) => {
      calm = this.#environment.clock.after(flushTime, resolve);
    });
    await Promise.race([Promise.all(this.#monitors.map((monitor) => monitor.close())), patience]);
    calm();
    this.#letGo();
    this.#onExit(status);
  }
}
