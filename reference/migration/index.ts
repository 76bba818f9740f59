/**
 * The migration engines of the reference monitor: both sides of one process, walking the model of `reference/model`.
 */
import { type MigrationUri, type ModelState, migrationCommands, parseUri } from '../model/index.js';
import { XbzrleCounters } from '../ram/xbzrle-counters.js';
import type { Channel } from './channel.js';
import { initialSettings } from './command-line.js';
import { execChannel, fdChannel } from './connect.js';
import {
  type CommandContext,
  CommandError,
  type CommandHandler,
  type CommandTable,
  type MigrationHost,
} from './host.js';
import { Incoming } from './incoming.js';
import { migrationInfo } from './info.js';
import { execRefused, ListenError } from './listen.js';
import { Outgoing } from './outgoing.js';
import { Settings } from './settings.js';
import { type Part, Statistics } from './statistics.js';
import { Walker } from './walker.js';
import { saveDevices } from './xen-save.js';

/** The migration half of a monitor. */
export interface Migration {
  /** The dialect's migration commands. */
  readonly commands: CommandTable;
  /** Pages of this guest are still at another host: nothing here may touch RAM unasked. */
  readonly ramIncomplete: boolean;
  /** `-incoming URI`: resolves when listening; a bad URI is logged and ends the process with status 1 (MIG-SM-I02). */
  startIncoming(uri: string): Promise<void>;
  /** `-incoming defer`. */
  deferIncoming(): void;
  /** `quit` or a signal ends the process: cancels what is under way where the dialect says so, then {@link close}. */
  shutdown(): void;
  /** Ends connections, listeners and children at once and silently. */
  close(): void;
}

type GoodUri = Exclude<MigrationUri, { kind: 'bad' | 'unknown' }>;
type Args = Readonly<Record<string, unknown>>;

/** Makes the migration half of a monitor around a machine. */
export function createMigration(host: MigrationHost): Migration {
  return new Engine(host);
}

const cancels = ({ label }: { readonly label: string }): boolean => label === 'cancelling';

class Engine implements Migration {
  readonly commands: CommandTable;
  readonly #walker: Walker;
  readonly #statistics: Statistics;
  readonly #xbzrle: XbzrleCounters;
  readonly #incoming: Incoming;
  readonly #settings: Settings;
  #outgoing: Outgoing | undefined;
  /** Given-up migrations whose connection attempt is still under way. */
  #old = new Set<Outgoing>();

  constructor(private readonly host: MigrationHost) {
    this.#walker = new Walker(host);
    this.#statistics = new Statistics(host.clock, () => partOf(this.#walker.state));
    this.#xbzrle = new XbzrleCounters(host.dialect.stream.xbzrleCounting);
    this.#incoming = new Incoming({ host, walker: this.#walker.side('incoming') });
    this.#settings = new Settings(() => this.#walker.state);
    this.#walker.passNumber = () => this.#statistics.dirtySyncCount;
    this.commands = this.#table();
    this.#configure();
  }

  /** Sets what the command line says. @throws CommandError */
  #configure(): void {
    const { properties } = this.host;
    if (properties === undefined || properties.size === 0) return;
    const { parameters, capabilities } = initialSettings(properties, this.host.dialect.migration);
    if (Object.keys(parameters).length > 0) this.#walker.configure('migrate-set-parameters', parameters);
    if (capabilities.length > 0) this.#walker.configure('migrate-set-capabilities', { capabilities });
  }

  get ramIncomplete(): boolean {
    return /^postcopy-/.test(this.#walker.state.in.status);
  }

  async startIncoming(text: string): Promise<void> {
    this.#await('uri');
    const uri = parseUri(text, this.#walker.rules);
    const problem = await this.#tryListen(uri, text, () => undefined);
    if (problem === undefined) {
      this.#walker.step('incoming', 'listening');
      return;
    }
    this.host.log(`-incoming ${text}: ${problem}`);
    this.#walker.step('incoming', 'listen-failed');
  }

  deferIncoming(): void {
    this.#await('defer');
  }

  shutdown(): void {
    if (this.host.dialect.migration.quitCancels && this.#walker.alternatives('migrate_cancel', {}).some(cancels)) {
      this.#walk('migrate_cancel', {}, 'cancelling');
    }
    this.close();
  }

  close(): void {
    this.#outgoing?.close();
    for (const old of this.#old) old.close();
    this.#incoming.close();
  }

  #await(origin: 'defer' | 'uri'): void {
    if (this.host.runState !== 'inmigrate') this.host.setRunState('inmigrate');
    this.#walker.startIncoming(origin);
  }

  #table(): Map<string, CommandHandler> {
    const table = new Map<string, CommandHandler>();
    const { removedCommands } = this.host.dialect.migration;
    for (const name of migrationCommands.keys()) {
      if (!removedCommands.includes(name)) table.set(name, (args) => this.#walk(name, args));
    }
    table.set('query-migrate', () => this.#info());
    table.set('migrate', (args, context) => this.#migrate(args, context));
    table.set('migrate_cancel', (args) => this.#then('migrate_cancel', args, () => this.#outgoing?.cancel()));
    table.set('migrate-continue', (args) => this.#then('migrate-continue', args, () => this.#outgoing?.wake()));
    table.set('migrate-start-postcopy', (args) =>
      this.#then('migrate-start-postcopy', args, () => this.#outgoing?.wake()),
    );
    table.set('migrate-set-parameters', (args) => this.#then('migrate-set-parameters', args, () => this.#retune(args)));
    table.set('migrate-pause', (args) => this.#pause(args));
    table.set('migrate-incoming', (args, context) => this.#listen('migrate-incoming', args, context));
    table.set('migrate-recover', (args, context) => this.#listen('migrate-recover', args, context));
    table.set('x-colo-lost-heartbeat', (args) => this.#failover(args));
    table.set('query-yank', () => (this.#connected ? [{ type: 'migration' }] : []));
    table.set('yank', ({ instances }) => this.#yank(instances as readonly { type: string }[]));
    table.set('query-migrationthreads', () => []);
    table.set('xen-save-devices-state', (args) => {
      const problem = saveDevices(this.host, String(args.filename));
      return this.#walk('xen-save-devices-state', args, problem === undefined ? 'answered' : 'failed', problem);
    });
    return table;
  }

  /** Walks a command that the model decides alone. */
  #walk(name: string, args: Args, label?: string, desc?: string): unknown {
    return this.#walker.command(name, args, label, desc)?.exact;
  }

  #then(name: string, args: Args, effect: () => void): unknown {
    const value = this.#walk(name, args);
    effect();
    return value;
  }

  #info(): Record<string, unknown> {
    const { errorDesc } = this.host.dialect.migration;
    const problem = errorDesc === 'connect' ? undefined : this.#outgoing?.problem;
    return migrationInfo(this.#walker.state, {
      host: this.host,
      statistics: this.#statistics,
      xbzrle: this.#xbzrle,
      compressed: this.#outgoing?.source.compressed ?? { pages: 0, bytes: 0, rate: 0 },
      remainingPages: this.#outgoing?.source.bitmap.count ?? this.host.ram.total / 4096,
      disk: this.#outgoing?.storage.disk,
      incoming: { 'socket-address': this.#incoming.socketAddress, ...this.#incoming.blocktime },
      errorDesc: problem ?? (errorDesc === 'any' ? this.#incoming.problem : undefined),
    });
  }

  #migrate(args: Args, context: CommandContext): unknown {
    const walker = this.#walker;
    if (!walker.alternatives('migrate', args).some(({ label }) => label === 'accepted')) {
      return this.#walk('migrate', args);
    }
    const uri = parseUri(String(args.uri), walker.rules) as GoodUri;
    let opened: Channel | undefined;
    const tls = this.#settings.tlsCreds;
    const immediate = uri.kind === 'exec' || uri.kind === 'fd';
    if (immediate && tls !== '' && args.resume !== true) {
      this.#statistics.begin();
      const text = `No TLS credentials with id '${tls}'`;
      this.host.log(text);
      return this.#walk('migrate', args, 'tls-unusable', text);
    }
    if (immediate) {
      const result = this.#open(uri, context);
      if (typeof result === 'string') return this.#walk('migrate', args, 'failed-at-once', result);
      opened = result;
    }
    if (args.resume === true && this.#outgoing !== undefined) {
      const value = this.#walk('migrate', args, 'accepted');
      this.#outgoing.resume(uri, opened);
      return value;
    }
    this.#statistics.begin();
    const value = this.#walk('migrate', args, 'accepted');
    if (this.#outgoing !== undefined) this.#old.add(this.#outgoing);
    this.#outgoing = new Outgoing({
      host: this.host,
      walker: walker.side('outgoing'),
      statistics: this.#statistics,
      xbzrleCounters: this.#xbzrle,
    });
    this.#outgoing.start(uri, opened);
    return value;
  }

  /** Opens a channel that needs no connecting; a text is the error. */
  #open(uri: GoodUri, context: CommandContext): Channel | string {
    if (uri.kind === 'exec') return this.host.allowExec === true ? execChannel(uri.command) : execRefused;
    if (uri.kind !== 'fd') return 'this address has to be connected first';
    const fd = context.takeFd(uri.name);
    return fd === undefined ? `File descriptor named '${uri.name}' has not been found` : fdChannel(fd);
  }

  #pause(args: Args): unknown {
    const outgoing = /^postcopy-(active|recover)$/.test(this.#walker.state.out.status);
    return this.#then('migrate-pause', args, () => {
      if (outgoing) this.#outgoing?.pause();
      else this.#incoming.pause();
    });
  }

  /** A migration is under way on either side: its connections can be cut off by `yank`. */
  get #connected(): boolean {
    const under = /^(setup|active|device|pre-switchover|cancelling|postcopy-.*)$/;
    return under.test(this.#walker.state.out.status) || under.test(this.#walker.state.in.status);
  }

  /** Cuts connections as if the network had done it; every instance must exist, else nothing is cut. */
  #yank(instances: readonly { readonly type: string }[]): void {
    if (instances.some(({ type }) => type !== 'migration' || !this.#connected)) {
      throw new CommandError('Instance not found', 'DeviceNotFound');
    }
    if (instances.length === 0) return;
    this.#outgoing?.pause();
    this.#incoming.pause();
  }

  #failover(args: Args): unknown {
    return this.#then('x-colo-lost-heartbeat', args, () => {
      if (this.#walker.state.in.status === 'colo') this.#incoming.failover();
      else this.#outgoing?.wake();
    });
  }

  /** Setting `x-checkpoint-delay` asks for a checkpoint; `max-bandwidth` and `downtime-limit` are read at every use; waiting engines only have to look again. */
  #retune(args: Args): void {
    const live = this.host.dialect.migration.livePostcopyBandwidth;
    const value = args[live];
    if (value !== undefined) this.#outgoing?.changePostcopyLimit(this.#settings.integer(live));
    if (this.#outgoing !== undefined && args['x-checkpoint-delay'] !== undefined) {
      this.#outgoing.checkpointRequested = true;
    }
    this.#outgoing?.wake();
  }

  async #listen(name: string, args: Args, context: CommandContext): Promise<unknown> {
    const walker = this.#walker;
    if (!walker.alternatives(name, args).some(({ label }) => label === 'listening')) return this.#walk(name, args);
    const text = String(args.uri);
    const takeFd = walker.rules.incomingFdNames ? context.takeFd : () => undefined;
    const problem = await this.#tryListen(parseUri(text, walker.rules), text, takeFd);
    if (problem === undefined) return this.#walk(name, args, 'listening');
    return this.#walk(name, args, 'listen-failed', problem);
  }

  /** @returns the error text, or undefined when listening */
  async #tryListen(
    uri: MigrationUri,
    text: string,
    takeFd: (name: string) => number | undefined,
  ): Promise<string | undefined> {
    if (uri.kind === 'unknown') return `unknown migration protocol: ${text}`;
    if (uri.kind === 'bad') return uri.desc;
    try {
      await this.#incoming.listen(uri, takeFd);
      return undefined;
    } catch (error) {
      if (error instanceof ListenError || error instanceof CommandError) return error.message;
      throw error;
    }
  }
}

/** What is sent counts by whether the guest runs, is stopped, or runs at the destination already. */
function partOf({ vm, out }: ModelState): Part {
  if (vm.runState === 'running') return 'precopyBytes';
  return out.status.startsWith('postcopy-') ? 'postcopyBytes' : 'downtimeBytes';
}
