import type { CommandDefinition } from '../../qapi/schema.js';
import type { ProtocolRules } from '../dialects/protocol.js';
import type { Clock, CommandContext } from '../migration/host.js';
import { MonitorDescriptors } from './descriptors.js';
import type { Dispatcher } from './dispatcher.js';
import type { EventHub } from './event-hub.js';
import type { CommandRegistry } from './registry.js';
import { type Channel, Session } from './session.js';
import type { TalkFaults } from './talk-faults.js';

/** What all monitors of the process share. */
export interface MonitorCore {
  readonly rules: ProtocolRules;
  /** As in the greeting and in `query-version` (QMP-GREET-03). */
  readonly version: object;
  readonly registry: CommandRegistry;
  readonly dispatcher: Dispatcher;
  readonly events: EventHub;
  /** Throws if the command is not permitted before the machine is initialised (step 9 of qmp-protocol.md §4). */
  readonly gate: (command: CommandDefinition) => void;
  readonly log: (line: string) => void;
  readonly clock: Clock;
  /** What planted faults change about conversations; absent on an honest monitor. */
  readonly faults?: TalkFaults;
}

export interface MonitorOptions {
  readonly pretty: boolean;
  readonly oobOffered: boolean;
  /** Greetings on each connection (QMP-GREET-08). */
  readonly greetings: number;
}

let lastId = 0;

/** One monitor: serves one client at a time, keeps the next ones waiting (qmp-protocol.md §10). */
export class Monitor {
  readonly id = ++lastId;
  readonly descriptors = new MonitorDescriptors();
  readonly pretty: boolean;
  readonly oobOffered: boolean;
  /** Called when a client's session has ended. */
  onDisconnect: () => void = () => {};

  readonly #greetings: number;
  readonly #waiting: Channel[] = [];
  #session: Session | undefined;

  constructor(
    readonly core: MonitorCore,
    { pretty, oobOffered, greetings }: MonitorOptions,
  ) {
    this.pretty = pretty;
    this.oobOffered = oobOffered;
    this.#greetings = greetings;
  }

  get connected(): boolean {
    return this.#session !== undefined;
  }

  /** Serves a new client, now or when those before it have left (QMP-CONN-02, QMP-CONN-03). */
  attach(channel: Channel): void {
    if (this.#session) this.#waiting.push(channel);
    else this.#serve(channel);
  }

  context(oob: boolean): CommandContext {
    return { monitorId: this.id, oob, takeFd: (name) => this.descriptors.take(name) };
  }

  /** Ends the session and those that wait; resolves when everything written is on its way. */
  async close(): Promise<void> {
    const waiting = this.#waiting.splice(0);
    await Promise.all([this.#session?.close(), ...waiting.map((channel) => channel.end())]);
  }

  #serve(channel: Channel): void {
    const session = new Session(this, channel, () => {
      this.core.events.receivers.delete(session);
      this.#session = undefined;
      this.descriptors.dropPending();
      this.onDisconnect();
      const next = this.#waiting.shift();
      if (next) this.#serve(next);
    });
    this.#session = session;
    channel.onDescriptors?.((batch) => this.descriptors.receive(batch));
    this.core.events.receivers.add(session);
    for (let n = 0; n < this.#greetings; n++) session.greet();
    session.pump();
  }
}
