/** qmp-protocol.md §1: monitors that connect by themselves, and sockets that hold up the start of the process. */
import { existsSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Trial } from '../../oracle/trial.js';
import { Disconnected } from '../../protocol/errors.js';
import { Session } from '../../protocol/session.js';
import { SocketWatch } from '../../targets/socket-watch.js';
import type { Instance } from '../../targets/target.js';
import { ChapterBuilder } from '../requirement.js';
import { done } from './shapes.js';

/** A listener of ours that a monitor is told to connect to. */
class Listener {
  private readonly arrived: Socket[] = [];
  private waiting: ((socket: Socket) => void) | undefined;
  private readonly sockets: Socket[] = [];

  private constructor(private readonly server: Server) {
    server.on('connection', (socket) => {
      this.sockets.push(socket);
      // Nobody else hears of an error until a session takes the socket over.
      socket.on('error', () => undefined);
      if (this.waiting === undefined) this.arrived.push(socket);
      else this.waiting(socket);
      this.waiting = undefined;
    });
  }

  static async open(): Promise<Listener> {
    const server = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Listener(server);
  }

  get address(): string {
    const address = this.server.address();
    return `tcp:127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  /** The next connection; the requirement's own deadline bounds the wait. */
  async session(t: Trial): Promise<Session> {
    const socket = this.arrived.shift() ?? (await new Promise<Socket>((resolve) => (this.waiting = resolve)));
    return t.hears(Session.over(socket, this.address, { transcript: t.transcript, endpoint: 'source#2' }));
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}

async function withListener(run: (listener: Listener) => Promise<void>): Promise<void> {
  const listener = await Listener.open();
  try {
    await run(listener);
  } finally {
    listener.close();
  }
}

/** Connects to a socket that appears in the instance's folder some time after the start. */
async function patientConnect(
  t: Trial,
  instance: Instance,
  name: string,
  before: () => void = () => undefined,
): Promise<Session> {
  const { scratch } = instance;
  const path = join(scratch, name);
  const watch = new SocketWatch(scratch);
  try {
    const connect = () => Session.connect({ kind: 'unix', path }, { transcript: t.transcript, endpoint: 'source#2' });
    const session = await watch.connects(connect, () => {
      if (instance.exit !== undefined) throw new Disconnected(`a monitor at ${name}`);
      before();
    });
    return t.hears(session);
  } finally {
    watch.close();
  }
}

export const connecting = new ChapterBuilder(
  ['QMP protocol', '1 Transports and framing', 'Connecting and waiting monitors'],
  'qmp-protocol.md §1',
  { abilities: ['start', 'arguments', 'local'] },
)
  .should('QMP-TRANS-02', 'a monitor that connects to its client greets and negotiates as any other', async (t) => {
    await withListener(async (listener) => {
      await t.start({ extra: ['-qmp', listener.address] });
      const session = await listener.session(t);
      await session.greeting();
      t.matches(await session.command('qmp_capabilities', undefined, { id: 1 }), done({}, { id: 1 }));
      t.matches(await session.command('query-version', undefined, { id: 2 }), done(undefined, { id: 2 }));
    });
  })
  .should(
    'QMP-TRANS-02.reconnect',
    'with reconnect=1 it comes back after a disconnect, with a fresh session',
    async (t) => {
      await withListener(async (listener) => {
        await t.start({ extra: ['-qmp', `${listener.address},${t.dialect.protocol.reconnectOption}`] });
        const first = await listener.session(t);
        await first.negotiate();
        await first.fence();
        first.close();
        const second = await listener.session(t);
        t.check((await second.greeting()).kind === 'greeting', 'a greeting', second.log[0]);
        t.failed(await second.command('query-version'), 'CommandNotFound');
        t.succeeded(await second.command('qmp_capabilities'));
      });
    },
    { lasting: true },
  )
  .should('QMP-TRANS-03', 'without reconnect the process lives on when its client closes', async (t) => {
    await withListener(async (listener) => {
      const instance = await t.start({ extra: ['-qmp', listener.address] });
      const session = await listener.session(t);
      await session.negotiate();
      session.close();
      const other = await t.session({ to: instance });
      t.succeeded(await other.command('query-version'), 'the process lives on');
      t.check(instance.exit === undefined, 'a living process', 'an exit');
    });
  })
  .should('QMP-TRANS-04', 'a socket without nowait holds up everything after it until a client connects', async (t) => {
    const extra = ['-qmp', 'unix:held.sock,server', '-qmp', 'unix:after.sock,server,nowait'];
    const instance = await t.start({ extra, held: true });
    const after = join(instance.scratch, 'after.sock');
    let early = false;
    const held = await patientConnect(t, instance, 'held.sock', () => {
      early = existsSync(after);
    });
    t.check(!early, 'no socket of the next monitor before the client came', `${after} was there`);
    await held.greeting();
    // Once it answers it has started: while it does, some releases tell a client of events that has not been greeted yet.
    t.succeeded(await held.command('qmp_capabilities'), 'qmp_capabilities');
    const next = await patientConnect(t, instance, 'after.sock');
    t.check((await next.greeting()).kind === 'greeting', 'a greeting of the next monitor', next.log[0]);
    held.close();
    next.close();
  })
  .done();
