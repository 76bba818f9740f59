/** A monitor of a few lines on a unix socket, for tests that must know each byte. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Address } from '../../protocol/address.js';
import { Session, type SessionOptions } from '../../protocol/session.js';

export const greetingText =
  '{"QMP": {"version": {"qemu": {"micro": 50, "minor": 0, "major": 3}, "package": ""}, "capabilities": []}}\r\n';

export class FakeMonitor {
  readonly folder = mkdtempSync(join(tmpdir(), 'qmpspec-test-'));
  readonly address: Address = { kind: 'unix', path: join(this.folder, 'qmp.sock') };
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private readonly sessions: Session[] = [];

  private constructor(accept: (socket: Socket, number: number) => void) {
    let number = 0;
    this.server = createServer({ allowHalfOpen: true }, (socket) => {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      accept(socket, ++number);
    });
  }

  /** @param accept called for each client, with its number from 1 */
  static async listen(accept: (socket: Socket, number: number) => void): Promise<FakeMonitor> {
    const monitor = new FakeMonitor(accept);
    await new Promise<void>((resolve) => monitor.server.listen((monitor.address as { path: string }).path, resolve));
    return monitor;
  }

  async session(options: SessionOptions = {}): Promise<Session> {
    const session = await Session.connect(this.address, { deadline: 2000, ...options });
    this.sessions.push(session);
    return session;
  }

  close(): void {
    for (const session of this.sessions) session.close();
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export interface Asked {
  readonly execute?: string;
  readonly 'exec-oob'?: string;
  readonly arguments?: unknown;
  readonly id?: unknown;
}

/** Greets, and hands each line that the client sends to `answer`, whose result is written back. */
export function conversation(answer: (asked: Asked, socket: Socket) => string | undefined) {
  return (socket: Socket): void => {
    socket.write(greetingText);
    let text = '';
    socket.on('end', () => socket.end());
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const reply = answer(JSON.parse(text.slice(0, end)) as Asked, socket);
        text = text.slice(end + 1);
        if (reply !== undefined) socket.write(`${reply}\r\n`);
      }
    });
  };
}

/** Answers everything with an empty success. */
export const obedient = conversation(({ id }) => JSON.stringify({ return: {}, id }));
