import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostClock } from '../../../protocol/clock.js';
import { type DialectName, dialects } from '../../../reference/dialects/dialect.js';
import { CommandError, type MigrationHost, type RunState } from '../../../reference/migration/host.js';
import { createMigration, type Migration } from '../../../reference/migration/index.js';
import { createGuestRam, type GuestRam } from '../../../reference/ram/guest-ram.js';

/** Transitions of qmp-protocol.md §15 that migration uses; anything else is a defect of the engine. */
const legal: Readonly<Record<string, readonly RunState[]>> = {
  prelaunch: ['finish-migrate', 'inmigrate', 'running'],
  inmigrate: ['colo', 'paused', 'postmigrate', 'prelaunch', 'running', 'shutdown', 'finish-migrate', 'suspended'],
  running: ['colo', 'finish-migrate', 'paused', 'save-vm'],
  paused: ['colo', 'finish-migrate', 'postmigrate', 'prelaunch', 'running'],
  'finish-migrate': ['colo', 'paused', 'postmigrate', 'prelaunch', 'running'],
  postmigrate: ['finish-migrate', 'prelaunch', 'running'],
  colo: ['running'],
  'save-vm': ['running'],
};

export interface MachineOptions {
  readonly dialect?: DialectName;
  readonly megabytes?: number;
  readonly ram?: GuestRam;
  readonly paused?: boolean;
  readonly runState?: RunState;
  /** As the command line gives them. */
  readonly properties?: ReadonlyMap<string, string>;
}

type Reply = { return: unknown } | { error: { class: string; desc: string } };

/** A machine with nothing but RAM, that writes down what its migration half says, in the order of the monitor. */
export class TestMachine {
  readonly ram: GuestRam;
  readonly transcript: string[] = [];
  readonly lines: string[] = [];
  readonly fds = new Map<string, number>();
  exitStatus: number | undefined;
  readonly migration: Migration;
  #runState: RunState;
  #autostart: boolean;
  #waiting: (() => void)[] = [];

  constructor(options: MachineOptions = {}) {
    this.ram = options.ram ?? createGuestRam([{ name: 'ram', size: (options.megabytes ?? 1) << 20 }]);
    this.#autostart = options.paused !== true;
    this.#runState = options.runState ?? (options.paused === true ? 'prelaunch' : 'running');
    this.migration = createMigration(this.#host(options));
  }

  get runState(): RunState {
    return this.#runState;
  }

  #host({ dialect = '3.0', properties }: MachineOptions): MigrationHost {
    const machine = this;
    return {
      dialect: dialects[dialect],
      clock: hostClock,
      ram: this.ram,
      machineName: 'none',
      allowExec: true,
      ...(properties === undefined ? {} : { properties }),
      get runState() {
        return machine.#runState;
      },
      setRunState: (state) => this.#enter(state),
      stopGuest: (state) => {
        if (this.#runState === 'running') this.#say('S');
        this.#enter(state);
      },
      startGuest: () => {
        if (this.#runState !== 'running') this.#say('R');
        this.#enter('running');
      },
      get autostart() {
        return machine.#autostart;
      },
      set autostart(value) {
        machine.#autostart = value;
      },
      emit: (event, data) => {
        if (event === 'MIGRATION') this.#say(`M(${data?.status})`);
        else if (event === 'MIGRATION_PASS') this.#say(`P${data?.pass}`);
        else this.#say(event);
      },
      log: (line) => {
        this.lines.push(line);
        this.#changed();
      },
      exit: (status) => {
        this.exitStatus = status;
        this.#say(`exit ${status}`);
      },
    };
  }

  #enter(state: RunState): void {
    if (state === this.#runState) return;
    if (legal[this.#runState]?.includes(state) !== true) {
      throw new Error(`invalid runstate transition: '${this.#runState}' -> '${state}'`);
    }
    this.#runState = state;
  }

  #say(what: string): void {
    this.transcript.push(what);
    this.#changed();
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** A command as a monitor would answer it; the reply goes into the transcript. */
  async execute(name: string, args: Record<string, unknown> = {}): Promise<Reply> {
    const handler = this.migration.commands.get(name);
    if (handler === undefined) throw new Error(`no command '${name}'`);
    const context = {
      monitorId: 1,
      oob: false,
      takeFd: (fd: string) => {
        const found = this.fds.get(fd);
        this.fds.delete(fd);
        return found;
      },
    };
    let reply: Reply;
    try {
      reply = { return: (await handler(args, context)) ?? {} };
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      reply = { error: { class: error.errorClass, desc: error.desc } };
    }
    if (!name.startsWith('query-')) this.#say('return' in reply ? '↵' : '↵error');
    return reply;
  }

  /** `return` of a command that must succeed. */
  async ok(name: string, args: Record<string, unknown> = {}): Promise<unknown> {
    const reply = await this.execute(name, args);
    if ('return' in reply) return reply.return;
    throw new Error(`${name}: ${reply.error.desc}`);
  }

  /** `desc` of a command that must fail. */
  async refused(name: string, args: Record<string, unknown> = {}): Promise<string> {
    const reply = await this.execute(name, args);
    if ('error' in reply) return reply.error.desc;
    throw new Error(`${name} succeeded with ${JSON.stringify(reply.return)}`);
  }

  async capabilities(...names: string[]): Promise<void> {
    await this.ok('migrate-set-capabilities', {
      capabilities: names.map((capability) => ({ capability, state: true })),
    });
    this.transcript.length = 0;
  }

  async info(): Promise<Record<string, unknown>> {
    return (await this.ok('query-migrate')) as Record<string, unknown>;
  }

  /** Waits until the transcript holds one of the entries; the deadline is an error that shows the transcript. */
  async until(...entries: string[]): Promise<string> {
    await this.#eventually(() => entries.some((entry) => this.transcript.includes(entry)), entries.join(' or '));
    return entries.find((entry) => this.transcript.includes(entry))!;
  }

  /** Waits for a line on standard error. */
  logged(pattern: RegExp): Promise<void> {
    return this.#eventually(() => this.lines.some((line) => pattern.test(line)), String(pattern));
  }

  async #eventually(done: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + 15_000;
    while (!done()) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`no ${what} in: ${this.story}; ${this.lines.join('; ')}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** The transcript in one line. */
  get story(): string {
    return this.transcript.join(' ');
  }

  close(): void {
    this.migration.close();
  }
}

/** Fills RAM with a pattern that differs in every page; about `share` of the pages stay zero. */
export function scribble(ram: GuestRam, zeroShare = 0.3): void {
  let seed = 12345;
  const next = () => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return seed;
  };
  for (const block of ram.blocks) {
    for (let page = 0; page < block.bytes.length; page += 4096) {
      if (next() / 2 ** 32 < zeroShare) continue;
      for (let at = page; at < page + 4096; at += 4) block.bytes.writeUInt32LE(next(), at);
    }
  }
}

/** A scratch folder for one test file. */
export function scratch(): { readonly path: (name: string) => string; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'qmpspec-'));
  return { path: (name) => join(folder, name), remove: () => rmSync(folder, { recursive: true, force: true }) };
}
