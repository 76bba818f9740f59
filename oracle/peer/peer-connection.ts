/** One accepted connection of a peer: reads the stream, answers as a destination would, or keeps its answers to itself. */
import type { ByteStream } from '../../protocol/byte-stream.js';
import type { StreamRules } from '../../reference/dialects/stream.js';
import { DirtyBitmap } from '../../reference/ram/dirty-bitmap.js';
import { pageSize } from '../../reference/ram/guest-ram.js';
import { isZeroPage } from '../../reference/ram/zero-page.js';
import { type PageKind, RamFlag, SectionType } from '../../reference/stream/format.js';
import { ReceiverState } from '../../reference/stream/reader-context.js';
import { ReturnPathWriter } from '../../reference/stream/return-path-writer.js';
import type { StreamCommand } from '../../reference/stream/stream-handler.js';
import { StreamReader } from '../../reference/stream/stream-reader.js';
import { channelByte, DataChannel, wrongTogether } from './data-channel.js';
import { type KnownMachine, MachineChecks } from './machine-checks.js';
import { PageChecks } from './page-checks.js';
import { ConformanceChecks } from './stream-conformance.js';
import { Tally } from './tally.js';

/** First byte of a stream with its header. */
const magicByte = 0x51;

export interface ConnectionSettings {
  readonly rules: StreamRules;
  /** Value of the SHUT at the end. */
  readonly shut: number;
  /** Answers go out as they become due; otherwise they wait for {@link PeerConnection.answer}. */
  readonly answers: boolean;
  /** The last page that is missing is asked for once the guest of a postcopy is here. */
  readonly asks: boolean;
  /** Milliseconds, as they pass for whoever waits for a page. */
  readonly now: () => number;
  /** What the stream has told so far: a recovery connection goes on where the one before it broke off. */
  readonly memory: PeerMemory;
  /** What is in the sender's memory, where that is known: from address 0, zeros behind it. */
  readonly content: () => Buffer | undefined;
  /** What is known of the sender's machine. */
  readonly machine: () => KnownMachine | undefined;
  /** An image of the memory that comes is kept. */
  readonly remembers: () => boolean;
  /** A fact for the transcript. */
  readonly tell: (fact: string) => void;
  /** Something that someone may wait for has happened. */
  readonly changed: () => void;
  /** A chunk was read from the connection. */
  readonly read: (chunk: Buffer) => void;
}

/** What outlives a connection. */
export class PeerMemory {
  receiver = new ReceiverState();
  /** What the stream should be, beyond what can be loaded. */
  checks: ConformanceChecks | undefined;
  pages: PageChecks | undefined;
  /** Of the last stream. */
  tally: Tally | undefined;
  /** Tells what came in it; before another one begins, or at the end. */
  count: (() => void) | undefined;
  machine: MachineChecks | undefined;
  /** Some connection brought no stream, but pages of one. */
  channels = false;
  /** Data channels so far, and streams that began: what belongs together is sure for the first stream alone. */
  readonly data: DataChannel[] = [];
  streams = 0;
  /** The last stream was read to its end. */
  ended = false;
  /** … or to the switch to postcopy: what a recovery goes on with has been read. */
  switched = false;

  /** Each of its data channels has said which it is, and no two are the same. */
  compareChannels(): void {
    const ids = this.data.flatMap(({ id }) => (id === undefined ? [] : [id]));
    const twice = ids.find((id, i) => ids.indexOf(id) !== i);
    if (twice !== undefined) this.checks?.report('multifd §1', `two data channels have the id ${twice}`);
  }

  /**
   * Once the stream and its data channels have been read to their ends, every page has come. Only when nothing more is going to
   * come: a source is done before the last of its connections is accepted here.
   */
  settle(): void {
    if (!this.ended) return;
    if (this.channels && !this.data.every(({ whole }) => whole) && this.tally !== undefined) this.tally.others = true;
    if (!this.channels) {
      this.pages?.complete();
      return;
    }
    if (this.streams !== 1 || this.data.length === 0 || !this.data.every(({ whole }) => whole)) return;
    this.pages?.complete();
    const { checks } = this;
    if (checks === undefined) return;
    for (const { requirement, text } of wrongTogether(this.data, checks.syncs, checks.rules))
      checks.report(requirement, text);
  }
}

export class PeerConnection {
  /** The stream with all that belongs to it was read. */
  complete = false;
  /** The package with the guest of a postcopy was read. */
  switched = false;
  /** A section behind that package has begun. */
  onward = false;
  closed = false;
  private reader: StreamReader | undefined;
  private begun = false;
  /** The end mark was read. */
  private marked = false;
  private given = false;
  private complained = false;
  /** The stream began on this connection, or on an earlier one that was read as well. */
  private begins = true;
  private returnPath = false;
  private data: DataChannel | undefined;
  private recovery = false;
  private answering: boolean;
  private readonly held: Buffer[] = [];
  private readonly writer = new ReturnPathWriter();

  constructor(
    private readonly socket: ByteStream,
    private readonly settings: ConnectionSettings,
  ) {
    this.answering = settings.answers;
    socket.on('data', (chunk: Buffer) => this.take(chunk));
    socket.on('error', () => undefined);
    socket.on('close', (broken?: boolean) => {
      this.closed = true;
      if (this.data !== undefined && !this.given && broken !== true) {
        this.data.closed = true;
      }
      if (this.marked && !this.complete && !this.given && broken !== true)
        settings.tell('the stream has ended without a description');
      settings.tell('the connection is closed');
      settings.changed();
    });
  }

  /** Something was read from it. */
  get heard(): boolean {
    return this.begun;
  }

  /** Tells what is wrong with all that has come. */
  settle(): void {
    const { memory } = this.settings;
    memory.settle();
    this.complain();
    memory.count?.();
  }

  /** Sends what was held back, and from now on answers at once. */
  answer(): void {
    this.answering = true;
    for (const bytes of this.held.splice(0)) this.write(bytes);
  }

  write(bytes: Buffer): void {
    if (this.socket.writable) this.socket.write(bytes);
  }

  close(): void {
    this.given = true;
    this.socket.destroy();
  }

  /** Reads nothing more until {@link resume}. */
  hold(): void {
    this.socket.pause();
  }

  /** Begins or goes on to read. */
  resume(): void {
    this.socket.resume();
  }

  private take(chunk: Buffer): void {
    this.settings.read(chunk);
    if (!this.begun && chunk.length > 0) {
      this.begun = true;
      this.reader = this.readerFor(chunk[0] as number);
    }
    if (this.data !== undefined) {
      this.data.push(chunk);
      this.complain();
    }
    if (this.reader === undefined || this.reader.status === 'failed') return;
    try {
      this.reader.push(chunk);
      this.complain();
    } catch (error) {
      const how = this.begins ? 'cannot be read' : 'cannot be read without its beginning';
      this.settings.tell(`the stream ${how}: ${(error as Error).message}`);
      // As a destination that cannot load: it would end.
      this.close();
    }
  }

  /** A second connection of a paused postcopy begins with a command; channels of multifd begin with neither. */
  private readerFor(first: number): StreamReader | undefined {
    const recovery = first === SectionType.command;
    if (!recovery && first !== magicByte) {
      this.settings.memory.channels = true;
      if (first === channelByte) this.data = this.dataChannel();
      return undefined;
    }
    const { rules, memory } = this.settings;
    this.recovery = recovery;
    if (recovery) this.returnPath = true;
    else {
      memory.count?.();
      memory.count = undefined;
      memory.receiver = new ReceiverState();
      memory.checks = new ConformanceChecks(rules);
      memory.pages = undefined;
      memory.tally = new Tally(this.settings.remembers());
      memory.machine = undefined;
      memory.streams++;
      memory.ended = false;
      memory.switched = false;
    }
    // Of a connection that was cut too early the sections are not known which this one goes on with.
    this.begins = memory.checks !== undefined && (!recovery || memory.switched);
    const checks = (this.begins ? memory.checks : undefined) ?? new ConformanceChecks(rules);
    const report = (requirement: string, text: string) => checks.report(requirement, text);
    memory.pages ??= new PageChecks(report, () => this.settings.machine()?.compressLevel, this.settings.now);
    memory.machine ??= new MachineChecks(rules, report, this.settings.machine, this.settings.now);
    const { pages, machine } = memory;
    // What goes on here began where nobody read along.
    if (!this.begins) pages.elsewhere = true;
    let inPart = false;
    const reader = new StreamReader(
      { rules, recovery, state: memory.receiver },
      {
        sectionBegin: (section) => {
          inPart = section.type === SectionType.part;
          checks.sectionBegin(section);
          machine.sectionBegin(section);
          pages.section();
          if (!this.switched || this.onward) return;
          this.onward = true;
          this.settings.changed();
        },
        ramPage: (block, offset, kind, bytes, start, length) => {
          checks.ramPage(block, offset, kind, bytes, start, length);
          pages.page(block, offset, kind, bytes, start, length);
          memory.tally?.page(block, offset, kind, bytes, start, length);
          if (memory.receiver.blocks.size !== 1) return;
          if (this.differs(offset, kind, bytes, start))
            checks.report('stream-format §5', `the page at 0x${offset.toString(16)} is not what the guest has there`);
        },
        ramEos: () => {
          checks.ramEos();
          if (inPart) memory.tally?.markOfPart();
        },
        ramFlush: () => checks.ramFlush(),
        device: (section, body) => machine.device(section, body),
        vmdescription: (text, length) => {
          checks.vmdescription(text, length);
          machine.vmdescription(text);
        },
        command: (command) => {
          checks.command(command);
          pages.command(command);
          // What was sent before the switch may come once more behind it, or be asked for.
          if (/^POSTCOPY_(?!ADVISE)/.test(command.name) && memory.tally !== undefined) memory.tally.others = true;
          machine.command(command);
          this.obey(command);
        },
        eof: () => {
          this.marked = true;
        },
        complete: () => {
          if (this.begins) machine.complete();
          memory.ended = true;
          if (memory.tally !== undefined) memory.tally.streamBytes = reader.offset;
          if (memory.streams === 1) memory.compareChannels();
          this.ended();
        },
        ramSetupBlock: (entry) => {
          pages.block(entry);
          memory.tally?.block(entry);
          for (const one of memory.data) one.read();
          this.settings.changed();
        },
      },
    );
    checks.offset = () => reader.offset;
    return reader;
  }

  private dataChannel(): DataChannel {
    const { memory, rules } = this.settings;
    const complain = (requirement: string, text: string) => memory.checks?.report(requirement, text);
    const channel = new DataChannel({
      rules,
      blocks: () => memory.receiver.blocks,
      uuid: () => this.settings.machine()?.uuid,
      zeroPage: ({ name }, offset) => {
        memory.pages?.came(name, offset);
        memory.tally?.came('zero');
      },
      pages: ({ name }, offset, bytes, start) => {
        memory.pages?.came(name, offset);
        memory.tally?.came('whole');
        if (memory.receiver.blocks.size !== 1 || !this.differs(offset, RamFlag.page, bytes, start)) return;
        complain('multifd §2', `the page at 0x${offset.toString(16)} is not what the guest has there`);
      },
      complain,
    });
    memory.data.push(channel);
    return channel;
  }

  private differs(offset: number, kind: PageKind, bytes: Buffer, start: number): boolean {
    const content = this.settings.content();
    if (content === undefined || (kind !== RamFlag.page && kind !== RamFlag.zero)) return false;
    const known = content.length > offset;
    if (kind === RamFlag.zero) return known && !isZeroPage(content, offset);
    return known
      ? content.compare(bytes, start, start + pageSize, offset, offset + pageSize) !== 0
      : !isZeroPage(bytes, start);
  }

  /** Tells of the first thing that no source does, once. */
  private complain(): void {
    const [first] = this.settings.memory.checks?.violations.splice(0) ?? [];
    if (first === undefined || this.complained) return;
    this.complained = true;
    this.settings.tell(
      `the stream is not as it should be: offset ${first.offset}: ${first.text} (${first.requirement})`,
    );
  }

  private obey(command: StreamCommand): void {
    // Outside a recovery a destination lets these pass; their numbers mean something else in some releases.
    const forRecovery = command.name === 'RECV_BITMAP' || command.name === 'POSTCOPY_RESUME';
    if (forRecovery && !this.recovery) return;
    switch (command.name) {
      case 'OPEN_RETURN_PATH':
        this.returnPath = true;
        break;
      case 'PING':
        // No verdict on anything: who is slow with those answers a ping none the less.
        this.write(this.writer.pong(command.value ?? 0));
        break;
      case 'RECV_BITMAP': {
        const block = this.settings.memory.receiver.blocks.get(command.block ?? '');
        // Nothing is said to be here, so everything is sent again.
        if (block !== undefined) {
          this.due(this.writer.receivedBitmap(block.name, new DirtyBitmap(block.length / pageSize)));
        }
        break;
      }
      case 'POSTCOPY_RESUME':
        this.due(this.writer.resumeAck());
        break;
      case 'POSTCOPY_RUN':
        this.switched = true;
        this.settings.memory.switched = true;
        if (this.settings.asks) this.ask();
        this.settings.changed();
        break;
      default:
        return;
    }
    this.settings.tell(`read ${command.name}${command.value === undefined ? '' : ` ${command.value}`}`);
  }

  /** Some releases send what is asked for over another connection: then nobody can say when it comes. */
  private ask(): void {
    const { memory, tell } = this.settings;
    const missing = memory.channels ? undefined : memory.pages?.ask();
    if (missing === undefined) return;
    const { block, offset } = missing;
    this.write(this.writer.requestPages(block, offset, pageSize));
    tell(`asked for page 0x${offset.toString(16)}`);
  }

  private count(): void {
    const { tally, streams, ended, channels } = this.settings.memory;
    // Which data channels belong to a later stream is not sure.
    if (tally === undefined || !ended || tally.others || (streams > 1 && channels)) return;
    this.settings.tell(`pages in all: ${tally.words}`);
  }

  private ended(): void {
    this.complete = true;
    this.settings.memory.count = () => this.count();
    this.settings.tell(`the stream has ended${this.returnPath ? '' : ', without a return path'}`);
    if (this.returnPath) this.due(this.writer.shut(this.settings.shut));
    this.settings.changed();
  }

  private due(bytes: Buffer): void {
    if (this.answering) this.write(bytes);
    else this.held.push(bytes);
  }
}
