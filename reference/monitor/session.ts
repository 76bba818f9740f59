import type { ByteEnd, ByteSink, ByteSource } from '../../protocol/byte-stream.js';
import { CommandError } from '../migration/host.js';
import { checkArguments } from './arguments.js';
import { asksForOob, readEnvelope } from './envelope.js';
import { encodeMessage } from './json/encoder.js';
import { JsonReader } from './json/reader.js';
import { decodeText, decodeValue } from './json/text.js';
import type { JsonObject, Message } from './json/value.js';
import type { Monitor } from './monitor.js';
import { Outlet } from './outlet.js';
import { asCommandError, failure, type Reply, success } from './reply.js';
import type { Said, Talk } from './talk-faults.js';

/** The two directions of one connection. */
export interface Channel {
  readonly input: ByteSource;
  readonly output: ByteSink;
  /** Called by {@link input} with descriptors that came, before the bytes that they came with; set by whoever reads. */
  onDescriptors?(listener: (batch: readonly number[]) => void): void;
  /** Ends the output, or at least flushes it where there is no such end (standard output). */
  end(): Promise<void>;
}

/** In-band requests that may wait while out-of-band execution is enabled (QMP-OOB-08, QMP-D-05). */
const queueLength = 8;

/** One client's time on a monitor, from greeting to disconnect. Dropped with everything in it (QMP-GREET-07). */
export class Session {
  readonly queue: Message[] = [];
  oobEnabled = false;

  readonly #reader: JsonReader;
  readonly #chunks: Buffer[] = [];
  // Where to go on in the first chunk.
  #offset = 0;
  #negotiated = false;
  // In-band requests read and not yet answered.
  #unanswered = 0;
  #inputEnded = false;
  #closed = false;
  #ended: Promise<void> | undefined;
  #lastOob: Promise<void> | undefined;
  // Only of a monitor with planted faults: what each reply answers, what faults remember, and how they write.
  readonly #answered = new WeakMap<Reply, Pick<Talk, 'command' | 'oob'>>();
  readonly #memory = new Map<string, unknown>();
  readonly #outlet: Outlet | undefined;

  constructor(
    private readonly monitor: Monitor,
    private readonly channel: Channel,
    private readonly onClosed: () => void,
  ) {
    this.#reader = new JsonReader(monitor.core.rules.json);
    const { input, output } = channel;
    const { faults, clock } = monitor.core;
    if (faults?.written !== undefined) this.#outlet = new Outlet(output, clock);
    input.on('data', this.#onData);
    input.on('end', this.#onEnd);
    for (const stream of new Set<ByteEnd>([input, output])) {
      stream.on('error', this.close);
      stream.on('close', this.#onEnd);
    }
  }

  /** Whether events go to this client (QMP-NEG-15). */
  get receivesEvents(): boolean {
    return this.#negotiated && !this.#closed;
  }

  /** Unprompted, before anything else (QMP-GREET-01). */
  greet(): void {
    const capabilities = this.monitor.oobOffered ? ['oob'] : [];
    this.send({ QMP: { version: this.monitor.core.version, capabilities } });
  }

  /** Writes one message after all earlier ones; the buffer has no bound (QMP-FLOW-02). */
  send(message: Reply): void {
    if (this.#closed) return;
    const { faults } = this.monitor.core;
    if (faults?.said === undefined) this.#write(message);
    else for (const one of faults.said(message, this.#talk(this.#answered.get(message)))) this.#write(one);
  }

  #write(said: Said): void {
    const { pretty, core } = this.monitor;
    const { doubles } = core.rules;
    const text = typeof said === 'string' ? `${said}\r\n` : encodeMessage(said, { doubles, pretty });
    if (this.#outlet === undefined) this.channel.output.write(text, 'latin1');
    else this.#outlet.write(core.faults?.written?.(text) ?? [{ text }]);
  }

  #talk(about: Pick<Talk, 'command' | 'oob'> = {}): Talk {
    const { core } = this.monitor;
    const { clock } = core;
    return {
      ...about,
      // A greeting may come before there is one.
      get schema() {
        return core.registry.schema;
      },
      process: core.events,
      memory: this.#memory,
      after: (ms, callback) => void clock.after(ms, callback),
      stamp: () => core.events.stamp(),
      say: (said) => {
        if (!this.#closed) this.#write(said);
      },
    };
  }

  reply(reply: Reply): void {
    this.#unanswered--;
    this.send(reply);
  }

  /** Reads as many messages as flow control permits (qmp-protocol.md §11, §12). */
  pump(): void {
    while (this.#mayRead()) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) {
        if (this.#inputEnded) this.#finish();
        else this.channel.input.resume();
        return;
      }
      this.#offset = this.#reader.read(chunk, this.#offset);
      if (this.#reader.message) this.#accept(this.#reader.message);
      if (this.#offset >= chunk.length) {
        this.#chunks.shift();
        this.#offset = 0;
      }
    }
    if (!this.#closed && this.#chunks.length > 0) this.channel.input.pause();
  }

  /** Executes one in-band request. */
  execute(message: Message): Reply | Promise<Reply> {
    if (!message.ok) return failure(undefined, new CommandError(message.desc));
    if (!(message.value instanceof Map)) return failure(undefined, new CommandError('QMP input must be a JSON object'));
    return this.#call(message.value);
  }

  /**
   * Ends the session; what the client sent and is not yet being executed is forgotten. Resolves when all that was written
   * is on its way.
   */
  readonly close = (): Promise<void> => {
    this.#ended ??= this.#end();
    return this.#ended;
  };

  #end(): Promise<void> {
    this.#closed = true;
    this.#chunks.length = 0;
    const { input } = this.channel;
    input.off('data', this.#onData);
    // What still arrives is read and dropped: unread bytes would turn the end of file into a reset.
    input.resume();
    this.monitor.core.dispatcher.forget(this);
    const ended =
      this.#outlet === undefined ? this.channel.end() : this.#outlet.emptied().then(() => this.channel.end());
    this.onClosed();
    return ended;
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#chunks.push(this.monitor.core.faults?.heard?.(chunk) ?? chunk);
    this.pump();
  };

  readonly #onEnd = (): void => {
    if (this.#inputEnded) return;
    this.#inputEnded = true;
    this.pump();
  };

  #mayRead(): boolean {
    if (this.#closed) return false;
    if (!this.oobEnabled) return this.#unanswered === 0;
    return this.monitor.core.rules.queueFull === 'drop' || this.queue.length < queueLength;
  }

  /** After a half-close everything complete has been read; the end follows the last reply (QMP-TRANS-14). */
  #finish(): void {
    if (this.#unanswered > 0) return;
    if (this.#lastOob === undefined) void this.close();
    else void this.#lastOob.then(this.close);
  }

  #accept(message: Message): void {
    const { dispatcher, rules, events } = this.monitor.core;
    if (message.ok && this.oobEnabled && asksForOob(message.value)) {
      this.#executeOob(message.value);
      return;
    }
    if (this.oobEnabled && rules.queueFull === 'drop' && this.queue.length >= queueLength) {
      // A real baseline dies here if there is no id (QMP-BUG-01).
      const id = message.ok && message.value instanceof Map ? message.value.get('id') : undefined;
      events.emit('COMMAND_DROPPED', { id: decodeValue(id ?? null), reason: 'queue-full' });
      return;
    }
    this.#unanswered++;
    dispatcher.submit(this, message);
  }

  /** Out-of-band replies keep their order among themselves (QMP-OOB-07). */
  #executeOob(request: JsonObject): void {
    const reply = this.#call(request);
    if (reply instanceof Promise || this.#lastOob) {
      const last: Promise<void> = Promise.all([reply, this.#lastOob]).then(([late]) => {
        this.send(late);
        if (this.#lastOob === last) this.#lastOob = undefined;
      });
      this.#lastOob = last;
    } else {
      this.send(reply);
    }
  }

  #call(request: JsonObject): Reply | Promise<Reply> {
    const id = request.get('id');
    const answer = (reply: Reply) => this.#note(reply, request);
    const fail = (error: unknown) => answer(failure(id, asCommandError(error, this.monitor.core.log)));
    try {
      const result = this.#run(request);
      return result instanceof Promise
        ? result.then((value) => answer(success(id, value)), fail)
        : answer(success(id, result));
    } catch (error) {
      return fail(error);
    }
  }

  /** Faults may ask later what a reply answers. */
  #note(reply: Reply, request: JsonObject): Reply {
    if (this.monitor.core.faults !== undefined) this.#answered.set(reply, nameOf(request));
    return reply;
  }

  /** Steps 4 to 11 of qmp-protocol.md §4. */
  #run(request: JsonObject): unknown {
    const { registry, rules, gate, faults } = this.monitor.core;
    const asked = faults?.asked?.(request, this.#talk(nameOf(request))) ?? request;
    const { command: name, oob, arguments: given } = readEnvelope(asked, this.oobEnabled);
    const known = this.#negotiated || name === 'qmp_capabilities' ? registry.find(name) : undefined;
    if (!known) {
      throw new CommandError(
        this.#negotiated
          ? `The command ${decodeText(name)} has not been found`
          : "Expecting capabilities negotiation with 'qmp_capabilities'",
        'CommandNotFound',
      );
    }
    const { definition, handler } = known;
    if (oob && !definition.allowOob) throw new CommandError(`The command ${name} does not support OOB`);
    gate(definition);
    const args = checkArguments(registry.schema, definition, given, rules);
    if (name === 'qmp_capabilities') return this.#negotiate((args.enable as string[] | undefined) ?? []);
    return handler(args, this.monitor.context(oob));
  }

  /** qmp-protocol.md §3. */
  #negotiate(enable: readonly string[]): void {
    if (this.#negotiated)
      throw new CommandError('Capabilities negotiation is already complete, command ignored', 'CommandNotFound');
    if (enable.length > 0 && !this.monitor.oobOffered)
      throw new CommandError(`Capability ${enable.join(', ')} not available`);
    this.oobEnabled = enable.includes('oob');
    this.#negotiated = true;
  }
}

function nameOf(request: JsonObject): Pick<Talk, 'command' | 'oob'> {
  const [execute, oob] = [request.get('execute'), request.get('exec-oob')];
  const command = execute ?? oob;
  return typeof command === 'string' ? { command, oob: execute === undefined } : {};
}
