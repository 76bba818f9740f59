/** A source of the target whose bytes are kept and judged. */
import type { Peer } from '../../oracle/peer/peer.js';
import { contentsOf } from '../../oracle/ram-image.js';
import type { Trial } from '../../oracle/trial.js';
import { hostClock } from '../../protocol/clock.js';
import { DeadlinePassed } from '../../protocol/errors.js';
import { afterFairTime } from '../../protocol/fair-time.js';
import { type JsonObject, stringifyJson } from '../../protocol/json.js';
import type { Session } from '../../protocol/session.js';
import { needsOurMachine } from '../../targets/machine.js';
import type { PeerBehaviour } from '../../targets/scenario.js';
import type { Instance, StartOptions } from '../../targets/target.js';
import { switchOn } from '../commands/observe.js';
import { Actor } from '../state-machine/actor.js';
import { channel, peerNeeds } from '../state-machine/source.js';
import { mixedImage } from './image.js';
import { firstDifference, Recording } from './recording.js';

/** Abilities of a source whose stream is judged: the machine must be the one that our own arguments make. */
export const captureNeeds = { abilities: [...peerNeeds.abilities, 'arguments'] } as const;

/** MiB of RAM of captured sources. */
export const memory = 16;
export const ramBytes = memory << 20;

export interface CaptureOptions {
  readonly capabilities?: readonly string[];
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly behaviour?: PeerBehaviour;
  /** File with the beginning of RAM; default: pages of every kind. `null` for zeros. */
  readonly image?: string | null;
  readonly start?: StartOptions;
  /** Of an instance that nobody has used. */
  readonly untouched?: boolean;
  /** Bytes after which our end reads nothing more until it is released. */
  readonly holds?: readonly number[];
}

/** What has come over each connection, by its number, from 1. */
interface Arrived {
  readonly chunks: Map<number, Buffer[]>;
  /** Called when more has. */
  more: () => void;
}

/** A source, our end of its channel, and what came over it. */
export class Captured extends Actor {
  private constructor(
    t: Trial,
    instance: Instance,
    session: Session,
    readonly peer: Peer,
    readonly image: string | null,
    private readonly arrived: Arrived,
  ) {
    super(t, instance, session);
  }

  static async open(t: Trial, options: CaptureOptions = {}): Promise<Captured> {
    needsOurMachine(t.facts);
    const image = options.image === undefined ? mixedImage() : options.image;
    const more = image === null ? {} : { ramImage: image };
    const start = { memory, ...more, ...options.start };
    const instance = options.untouched ? await t.start(start) : await t.startForMigration(start);
    const session = await t.session({ to: instance });
    await switchOn(t, session, 'events', ...(options.capabilities ?? []));
    if (options.parameters !== undefined) {
      t.succeeded(await session.command('migrate-set-parameters', options.parameters), 'migrate-set-parameters');
    }
    const arrived: Arrived = { chunks: new Map(), more: () => undefined };
    const peer = await channel(t, instance, options.behaviour ?? 'answer', {
      ...(options.holds === undefined ? {} : { holds: options.holds }),
      tap: (connection, chunk) => {
        const list = arrived.chunks.get(connection) ?? [];
        list.push(chunk);
        arrived.chunks.set(connection, list);
        arrived.more();
      },
    });
    return new Captured(t, instance, session, peer, image, arrived);
  }

  /** Begins the migration. */
  async migrates(more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const reply = await this.session.command('migrate', { uri: this.peer.uri, ...more });
    this.t.equal(this.t.succeeded(reply, 'migrate'), {}, 'migrate');
  }

  /** The migration comes to its end, and every connection with it. */
  async completes(): Promise<void> {
    await this.until('completed');
    await this.runs('postmigrate');
    await this.peer.until('closed', this.session.deadline);
  }

  /**
   * Waits until what has come is such that `holds`: looks whenever more has come.
   * @param awaited in words. @throws DeadlinePassed
   */
  arrives(awaited: string, holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const settle = (then: () => void) => {
        this.arrived.more = () => undefined;
        cancel();
        then();
      };
      const { deadline } = this.session;
      const late = (length: number) => settle(() => reject(new DeadlinePassed(awaited, length)));
      const cancel = afterFairTime(hostClock, deadline, late, this.t.starved);
      this.arrived.more = () => {
        if (holds()) settle(resolve);
      };
    });
  }

  /** Connections so far. */
  get connections(): number {
    return this.arrived.chunks.size;
  }

  /** What has come over a connection. */
  bytes(connection = 1): Buffer {
    return Buffer.concat(this.arrived.chunks.get(connection) ?? []);
  }

  /** What the stream says; it must be one that can be read to its last byte. */
  recording(connection = 1): Recording {
    return readable(this.t, this.bytes(connection));
  }

  /** The stream has brought the RAM of the image. Zeros follow. */
  carries(recording: Recording): void {
    carries(this.t, recording, contentsOfImage(this.image));
  }
}

/** A migration that has ended, which others look at too. */
export class SeenStream {
  /**
   * @param connections what has come over each of them
   * @param info what `query-migrate` of the source says at the end
   */
  constructor(
    private readonly t: Trial,
    private readonly ram: Buffer,
    readonly connections: readonly Buffer[],
    readonly info: JsonObject,
  ) {}

  /** What has come over a connection. */
  bytes(connection = 1): Buffer {
    return this.connections[connection - 1] ?? Buffer.alloc(0);
  }

  recording(): Recording {
    return readable(this.t, this.bytes());
  }

  /** The stream has brought the RAM of the source. */
  carries(recording: Recording): void {
    carries(this.t, recording, this.ram);
  }
}

/**
 * Brings a migration about that others look at too, and waits for its end.
 * @param key what is different in it
 * @param begins the source once the migration has begun, and how its RAM begins in the end; zeros follow
 */
export async function seenStream(
  t: Trial,
  key: string,
  begins: (t: Trial) => Promise<readonly [Captured, Buffer]>,
): Promise<SeenStream> {
  const { connections, info, ram } = await t.observed(`stream ${key}`, async (t) => {
    const [one, ram] = await begins(t);
    await one.completes();
    const connections = Array.from({ length: one.connections }, (_, i) => one.bytes(i + 1));
    return { connections, info: await one.info(), ram };
  });
  return new SeenStream(t, ram, connections, info);
}

/** A migration from begin to end. */
export const seenCapture = (t: Trial, options: CaptureOptions): Promise<SeenStream> =>
  seenStream(t, stringifyJson(options), async (t) => {
    const one = await Captured.open(t, options);
    await one.migrates();
    return [one, contentsOfImage(one.image)];
  });

/** What is in these bytes, which must be a stream that can be read to its last byte. */
export function readable(t: Trial, bytes: Buffer): Recording {
  const recording = recorded(t, bytes);
  t.check(
    recording.problem === undefined && recording.messages.length === 0,
    'a stream that can be read',
    recording.problem ?? recording.messages.join('; '),
  );
  t.check(recording.rest.length === 0, 'nothing behind the stream', `${recording.rest.length} bytes`);
  return recording;
}

/** The stream has brought RAM that begins like this. Zeros follow. */
function carries(t: Trial, recording: Recording, expected: Buffer): void {
  const got = recording.contents(recording.setup[0]?.block.name ?? '');
  t.check(got?.length === ramBytes, `${ramBytes} bytes of RAM`, `${got?.length ?? 'no'} bytes`, 'RAM');
  const page = firstDifference(got as Buffer, expected);
  t.check(page === -1, 'the RAM of the source', `other bytes in page ${page}`, 'RAM');
}

const contentsOfImage = (image: string | null): Buffer => (image === null ? Buffer.alloc(0) : contentsOf(image));

/** What is in these bytes, until the end of the trial. */
export function recorded(t: Trial, bytes: Buffer): Recording {
  const recording = new Recording(t.dialect.stream);
  t.atEnd(async () => recording.release());
  return recording.read(bytes);
}

/** A migration from begin to end, and its stream. */
export async function capture(t: Trial, options: CaptureOptions = {}): Promise<[SeenStream, Recording]> {
  const one = await seenCapture(t, options);
  return [one, one.recording()];
}
