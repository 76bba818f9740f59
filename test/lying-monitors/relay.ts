/** Relays between a client and a truthful monitor, and changes what the lie changes. */
import type { Socket } from 'node:net';
import { openSocket } from '../../protocol/address.js';
import type { ByteStream } from '../../protocol/byte-stream.js';
import { hostClock } from '../../protocol/clock.js';
import { Framer } from '../../protocol/framing.js';
import { isObject, type JsonObject, parseJson, sameJson, stringifyJson } from '../../protocol/json.js';
import { kindOf } from '../../protocol/message.js';
import { Outlet } from '../../reference/monitor/outlet.js';
import { SocketWatch } from '../../targets/socket-watch.js';
import { Detour, detours } from './detour.js';
import { type Lie, type Said, spaced, type Talk } from './lie.js';

const ours = 'liar:';

/** Milliseconds for which a client waits until the monitor takes it. */
const patience = 5000;

const parsed = (bytes: Buffer): JsonObject | undefined => {
  try {
    const value = parseJson(bytes.toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

/** The command that a reply belongs to: the oldest one with its id; those before it will get no reply any more. */
function answered(owed: (JsonObject | undefined)[], { id }: JsonObject): JsonObject | undefined {
  const at = id === undefined ? 0 : owed.findIndex((one) => one !== undefined && sameJson(one.id ?? null, id));
  return owed.splice(0, Math.max(0, at) + 1).at(-1);
}

/** What one lying process is for its clients, one after the other. */
export class Relay {
  private readonly shared = new Map<string, unknown>();
  private readonly detour: Detour | undefined;

  /** Clients that each monitor has had. */
  private readonly clients: number[] = [];

  /**
   * @param truths sockets of the monitors of the truthful process; the folder of the first takes what the lie needs besides
   * @param incoming it was started to wait for a migration
   */
  constructor(
    private readonly lie: Lie,
    private readonly truths: readonly string[],
    private readonly incoming: boolean,
  ) {
    if (detours(lie)) this.detour = new Detour(lie, `${truths[0]}.stream`);
  }

  /** The URI on which the truthful process has to wait for a migration, so that the lie can change the stream. */
  waitsOn(uri: string): string {
    return this.detour?.incoming(uri) ?? uri;
  }

  close(): void {
    this.detour?.close();
  }

  /** @param monitor which one it has connected to, from 0 */
  serve(client: Socket, monitor: number): void {
    client.on('error', () => client.destroy());
    this.reach(this.truths[monitor] as string).then(
      (upstream) => this.join(client, upstream, monitor),
      () => client.destroy(),
    );
  }

  /** A monitor whose queue of waiting clients is full has room again soon. */
  private reach(path: string): Promise<Socket> {
    const watch = new SocketWatch();
    const until = performance.now() + patience;
    return watch.connects(
      () => openSocket({ kind: 'unix', path }, patience),
      () => {
        if (performance.now() > until) throw new Error('the monitor takes no client');
      },
    );
  }

  /** Between a client and a connection to the monitor. */
  join(client: ByteStream, upstream: ByteStream, monitor = 0): void {
    const { lie, shared, detour, incoming } = this;
    const ordinal = (this.clients[monitor] ?? 0) + 1;
    this.clients[monitor] = ordinal;
    // Messages of the client to which the monitor owes a reply, oldest first.
    const owed: (JsonObject | undefined)[] = [];
    const memory = new Map<string, unknown>();
    const outlet = new Outlet(client, hostClock);
    const rewrites = lie.up !== undefined || detour !== undefined;
    let negotiated = false;
    let asked = 0;
    const forward = (command: JsonObject) => void upstream.write(`${stringifyJson(command)}\n`);
    const talk = (command: JsonObject | undefined): Talk => ({
      command,
      negotiated,
      waiting: owed.length,
      incoming,
      monitor,
      client: ordinal,
      memory,
      shared,
      after: (ms, callback) => void setTimeout(callback, ms),
      say: (said) => say(said),
      ask: (one) => forward({ ...one, id: `${ours}${++asked}` }),
    });

    const say = (said: Said): void => {
      if (!client.writable) return;
      let bytes: Buffer = Buffer.concat([
        Buffer.isBuffer(said) ? said : Buffer.from(spaced(said)),
        Buffer.from('\r\n'),
      ]);
      if (lie.bytes !== undefined) bytes = lie.bytes(bytes);
      const text = bytes.toString('latin1');
      outlet.write(lie.write?.(text) ?? [{ text }]);
    };

    /** What the monitor gets instead of a command; the same object means the same bytes. */
    const told = (message: JsonObject): JsonObject | undefined => {
      const changed = lie.up === undefined ? message : lie.up(message, talk(message));
      return changed === undefined ? undefined : (detour?.of(changed) ?? changed);
    };

    const fromClient = new Framer();
    client.on('data', (bytes: Buffer) => {
      const chunk = lie.heard?.(bytes, talk(undefined)) ?? bytes;
      // Whatever is not changed goes on byte for byte: how a client writes is part of the truth.
      let begun = fromClient.partial.length > 0;
      let [at, done] = [0, 0];
      for (const { bytes } of fromClient.push(chunk)) {
        const message = parsed(bytes);
        const index = begun ? -1 : chunk.indexOf(bytes, at);
        begun = false;
        at = index + bytes.length;
        const changed = !rewrites || message === undefined || index < 0 ? message : told(message);
        if (changed !== message) {
          upstream.write(chunk.subarray(done, index));
          if (changed !== undefined) upstream.write(stringifyJson(changed));
          done = at;
        }
        if (message === undefined || changed !== undefined) owed.push(message);
      }
      upstream.write(chunk.subarray(done));
    });

    const fromMonitor = new Framer();
    upstream.on('data', (chunk: Buffer) => {
      for (const { bytes: told } of fromMonitor.push(chunk)) {
        const bytes = detour?.asWished(told) ?? told;
        const message = parsed(bytes);
        if (message === undefined) {
          say(bytes);
          continue;
        }
        const kind = kindOf(message);
        if (typeof message.id === 'string' && message.id.startsWith(ours)) continue;
        const command = kind === 'success' || kind === 'failure' ? answered(owed, message) : undefined;
        if (kind === 'success' && command?.execute === 'qmp_capabilities') negotiated = true;
        for (const said of lie.down?.(message, talk(command)) ?? [message]) say(said === message ? bytes : said);
      }
    });

    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('end', () => {
        if (lie.leaves && from === client) client.destroy();
        else void (to === client ? outlet.emptied() : Promise.resolve()).then(() => to.end());
      });
      from.on('error', () => to.destroy());
      from.on('close', () => void (to === client ? outlet.emptied() : Promise.resolve()).then(() => to.destroy()));
    }
  }
}
