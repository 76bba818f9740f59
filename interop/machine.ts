import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandWithDescriptors } from '../protocol/descriptor-sending.js';
import type { JsonObject, JsonValue } from '../protocol/json.js';
import { eventName, type Received } from '../protocol/message.js';
import type { Session } from '../protocol/session.js';
import type { DialectName } from '../reference/dialects/dialect.js';
import type { Instance, StartOptions, Target } from '../targets/target.js';

/** Milliseconds that one step of a migration may take: generous, for the machine may be busy with other cells. */
const patience = 30_000;

/** A machine of either kind, with its monitor. */
export class Machine {
  /** Everything of `MIGRATION` events so far. */
  get statuses(): string[] {
    return this.session.log.flatMap((message) => statusOf(message) ?? []);
  }

  private constructor(
    readonly instance: Instance,
    readonly session: Session,
    /** Behaves as this release. */
    readonly version: DialectName,
  ) {}

  /** The bundled monitor, which has no commands on nodes. */
  get isReference(): boolean {
    return this.session.log.some(({ kind, text }) => kind === 'greeting' && text.includes('qmpspec'));
  }

  static async start(target: Target, version: DialectName, options: StartOptions): Promise<Machine> {
    const instance = await target.start(options);
    const session = await instance.connect({ deadline: patience });
    await session.negotiate();
    const machine = new Machine(instance, session, version);
    await machine.capabilities(['events']);
    return machine;
  }

  /** Runs a command. @throws Error with the description of its error */
  async execute(name: string, args?: Readonly<Record<string, unknown>>): Promise<JsonValue> {
    return this.#result(name, await this.session.command(name, args));
  }

  /** Runs a command on whose line a descriptor rides. */
  async give(name: string, args: Readonly<Record<string, unknown>>, descriptor: number): Promise<JsonValue> {
    return this.#result(name, await commandWithDescriptors(this.session, name, args, [descriptor]));
  }

  async capabilities(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const capabilities = names.map((capability) => ({ capability, state: true }));
    await this.execute('migrate-set-capabilities', { capabilities });
  }

  async parameters(values: Readonly<Record<string, unknown>>): Promise<void> {
    if (Object.keys(values).length > 0) await this.execute('migrate-set-parameters', values);
  }

  /**
   * Waits for one of these statuses to be announced behind `since`.
   * @throws Error when the migration fails, or the process ends, before
   */
  async until(wanted: readonly string[], since = 0): Promise<string> {
    const ends = [...wanted, 'failed'];
    const find = () => {
      for (const message of this.session.since(since)) {
        const status = statusOf(message);
        if (status !== undefined && ends.includes(status)) return status;
      }
      return undefined;
    };
    const status = await this.session
      .until(`MIGRATION ${wanted.join(' or ')}`, find, patience)
      .catch((error: Error) => {
        throw new Error(`${error.message}; after ${this.statuses.join(' ')}`);
      });
    if (wanted.includes(status)) return status;
    const info = (await this.execute('query-migrate').catch(() => ({}))) as JsonObject;
    throw new Error(`failed: ${info['error-desc'] ?? 'without error-desc'}`);
  }

  /** Waits for an event of this name behind a mark. */
  async event(name: string, since: number): Promise<void> {
    await this.session.event(name, { since, deadline: patience });
  }

  /** Checksum of guest RAM from address 0; with `holes` without the addresses below 1 MiB that are no RAM on a PC. */
  async memory(bytes: number, holes = false): Promise<string> {
    const filename = join(this.instance.scratch, 'memory');
    await this.execute('pmemsave', { val: 0, size: bytes, filename });
    const contents = readFileSync(filename);
    if (holes) contents.fill(0, 0xa0000, 0x100000);
    return createHash('sha256').update(contents).digest('hex');
  }

  get lastWords(): string {
    const lines = this.instance.stderr.trim().split('\n').slice(-3);
    return lines.join(' | ') || 'nothing on standard error';
  }

  #result(name: string, received: Received): JsonValue {
    const { value } = received;
    const { error, return: result } = (value ?? {}) as { error?: { desc: string }; return?: JsonValue };
    if (error !== undefined) throw new Error(`${name}: ${error.desc}`);
    return result ?? null;
  }
}

function statusOf(message: Received): string | undefined {
  if (eventName(message) !== 'MIGRATION') return undefined;
  const { data } = message.value as JsonObject;
  return ((data ?? {}) as { status?: string }).status;
}
