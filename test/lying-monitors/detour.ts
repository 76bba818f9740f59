/** Sends migrations over a socket of ours, so that the lie can change what goes there and back. */
import { existsSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname, resolve } from 'node:path';
import { isObject, type JsonObject } from '../../protocol/json.js';
import type { Lie, StreamChange } from './lie.js';

export const detours = ({ stream, back, arriving, answering }: Lie): boolean =>
  [stream, back, arriving, answering].some((one) => one !== undefined);

const unchanged = (): StreamChange => (chunk) => chunk;

export class Detour {
  private readonly servers: Server[] = [];
  private readonly sockets = new Set<Socket>();
  /** Places at which the monitor listens, and those at which it was told to. */
  private readonly wished = new Map<string, string>();
  private waits = false;

  /** @param prefix of the paths of our sockets, in the folder from which the monitor itself counts */
  constructor(
    private readonly lie: Lie,
    private readonly prefix: string,
  ) {}

  /** A migration to or from a unix socket goes over one of ours; every other command is as it was. */
  of(command: JsonObject): JsonObject {
    const { execute, arguments: args } = command;
    if (!isObject(args)) return command;
    // A resume is about when it connects: that would be told wrongly.
    const uri =
      execute === 'migrate' && args.resume !== true
        ? this.outgoing(args.uri)
        : execute === 'migrate-recover' || (execute === 'migrate-incoming' && !this.waits)
          ? this.incoming(args.uri)
          : undefined;
    return uri === undefined ? command : { ...command, arguments: { ...args, uri } };
  }

  private pathOf(uri: unknown): string | undefined {
    if (typeof uri !== 'string' || !uri.startsWith('unix:')) return undefined;
    return resolve(dirname(this.prefix), uri.slice('unix:'.length));
  }

  private outgoing(uri: unknown): string | undefined {
    const path = this.pathOf(uri);
    const { stream, back } = this.lie;
    if (path === undefined || (stream === undefined && back === undefined)) return undefined;
    // The kernel tells a client at once that nobody listens there: the lie is not about that.
    if (!existsSync(path)) return undefined;
    const ours = `${this.prefix}${this.servers.length}`;
    this.listen(ours, path, stream ?? unchanged, back ?? unchanged);
    return `unix:${ours}`;
  }

  /** Where the monitor has to listen instead: we listen at the place itself. */
  incoming(uri: unknown): string | undefined {
    const path = this.pathOf(uri);
    const { arriving, answering } = this.lie;
    if (path === undefined || (arriving === undefined && answering === undefined)) return undefined;
    // What cannot be listened at is the monitor's own affair.
    if (existsSync(path) || !existsSync(dirname(path))) return undefined;
    this.waits = true;
    const ours = `${this.prefix}${this.servers.length}`;
    this.wished.set(ours, path);
    this.listen(path, ours, arriving ?? unchanged, answering ?? unchanged);
    return `unix:${ours}`;
  }

  /** What the monitor says, with the places that it was told. */
  asWished(bytes: Buffer): Buffer {
    let text = bytes.toString('latin1');
    if (!text.includes(this.prefix)) return bytes;
    for (const [ours, path] of this.wished) text = text.replaceAll(ours, path);
    return Buffer.from(text, 'latin1');
  }

  private listen(at: string, path: string, there: () => StreamChange, back: () => StreamChange): void {
    const server = createServer({ allowHalfOpen: true }, (source) => this.join(source, path, there(), back()));
    server.on('error', () => undefined);
    this.servers.push(server.listen(at));
  }

  private join(source: Socket, path: string, there: StreamChange, back: StreamChange): void {
    const destination = connect({ path, allowHalfOpen: true });
    for (const [from, to, change] of [
      [source, destination, there],
      [destination, source, back],
    ] as const) {
      this.sockets.add(from);
      from.on('data', (chunk) => void (to.write(change(chunk)) || from.pause()));
      to.on('drain', () => from.resume());
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.sockets.delete(from);
        to.destroy();
      });
    }
  }

  close(): void {
    for (const server of this.servers) server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}
