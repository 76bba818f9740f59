/** Sends outgoing migrations over a socket of ours, so that the lie can change their stream. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { isObject, type JsonObject } from '../../protocol/json.js';
import type { StreamChange } from './lie.js';

const pathOf = (uri: unknown): string | undefined =>
  typeof uri === 'string' && uri.startsWith('unix:') ? uri.slice('unix:'.length) : undefined;

export class Detour {
  private readonly servers: Server[] = [];
  private readonly sockets = new Set<Socket>();

  /** @param prefix of the paths of our sockets */
  constructor(
    private readonly change: () => StreamChange,
    private readonly prefix: string,
  ) {}

  /** A migration to a unix socket goes over one of ours; every other command is as it was. */
  of(command: JsonObject): JsonObject {
    const { execute, arguments: args } = command;
    const path = execute === 'migrate' && isObject(args) ? pathOf(args.uri) : undefined;
    if (path === undefined || !isObject(args)) return command;
    const ours = `${this.prefix}${this.servers.length}`;
    // The kernel tells a client at once that nobody listens there: the lie is not about that.
    this.servers.push(createServer({ allowHalfOpen: true }, (source) => this.join(source, path)).listen(ours));
    return { ...command, arguments: { ...args, uri: `unix:${ours}` } };
  }

  private join(source: Socket, path: string): void {
    const destination = connect({ path, allowHalfOpen: true });
    const change = this.change();
    source.on('data', (chunk) => void (destination.write(change(chunk)) || source.pause()));
    destination.on('drain', () => source.resume());
    destination.on('data', (chunk) => source.write(chunk));
    for (const [from, to] of [
      [source, destination],
      [destination, source],
    ] as const) {
      this.sockets.add(from);
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
