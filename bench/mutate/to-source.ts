import { createServer, type Server, type Socket } from 'node:net';
import type { ReturnPathMode } from '../../generators/stream/small-return-path.js';
import { ramImage } from '../../oracle/ram-image.js';
import type { Session } from '../../protocol/session.js';
import type { Target } from '../../targets/target.js';
import { allowance, peakOf } from './memory.js';

/** Milliseconds in which a source must have come to an end when its peer has gone. */
const patience = 20_000;
/** Bytes a second with which neither half of a migration ends before it has been answered. */
const held = { 'max-bandwidth': 100_000, 'max-postcopy-bandwidth': 100_000 };
const ends = ['completed', 'failed', 'postcopy-paused'];

/** Our end of a migration channel: reads everything, and answers when it is told to. */
class Peer {
  readonly #server: Server;
  readonly connected: Promise<Socket>;

  constructor(readonly path: string) {
    this.#server = createServer();
    this.connected = new Promise((resolve) => {
      this.#server.once('connection', (socket) => {
        socket.on('error', () => undefined);
        socket.resume();
        resolve(socket);
      });
    });
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(this.path, () => resolve()));
  }

  close(): void {
    this.#server.close();
    void this.connected.then((socket) => socket.destroy());
  }
}

/**
 * Answers the migration of a monitor with 1 MiB of RAM by a return path; how that ended. A source that still waits when
 * everything has been said loses its peer, and must end then.
 * @param target starts the source: a process, or one in this process
 */
export async function toSource(target: Target, bytes: Buffer, mode: ReturnPathMode): Promise<string> {
  const instance = await target.start({ memory: 1, ramImage: ramImage(1) });
  const peers: Peer[] = [];
  try {
    const session = await instance.connect();
    await session.greeting();
    await session.negotiate();
    const before = instance.pid === undefined ? undefined : peakOf(instance.pid);
    const dial = async (resume: boolean): Promise<Socket> => {
      const peer = new Peer(`${instance.scratch}/peer${peers.length}.sock`);
      peers.push(peer);
      await peer.listen();
      await ok(session, 'migrate', { uri: `unix:${peer.path}`, ...(resume ? { resume } : {}) });
      return peer.connected;
    };
    const capability = mode === 'precopy' ? 'return-path' : 'postcopy-ram';
    await ok(session, 'migrate-set-capabilities', { capabilities: [{ capability, state: true }] });
    if (mode !== 'precopy') await ok(session, 'migrate-set-parameters', held);
    let socket = await dial(false);
    if (mode !== 'precopy') {
      await status(session, ['active']);
      await ok(session, 'migrate-start-postcopy');
      await status(session, ['postcopy-active']);
    }
    if (mode === 'recovery') {
      await ok(session, 'migrate-pause');
      await status(session, ['postcopy-paused']);
      socket = await dial(true);
      await status(session, ['postcopy-recover', 'postcopy-paused']);
    }
    socket.write(bytes);
    if (mode !== 'precopy')
      await ok(session, 'migrate-set-parameters', { 'max-bandwidth': 0, 'max-postcopy-bandwidth': 0 });
    // What it makes of the answer it does at once; then there is nobody to wait for.
    await ok(session, 'query-version');
    socket.end();
    const end = await status(session, ends);
    const peak = instance.pid === undefined ? undefined : peakOf(instance.pid);
    if (before !== undefined && peak !== undefined && peak > before + 2 ** 20 + allowance) {
      return `memory: ${Math.round((peak - before) / 2 ** 20)} MiB more than before`;
    }
    const { status: runState } = (await ok(session, 'query-status')) as { status: string };
    if (end === 'failed' && mode === 'precopy' && runState !== 'running')
      return `wrong: failed, and the guest is ${runState}`;
    if (end === 'completed' && runState !== 'postmigrate') return `wrong: completed, and the guest is ${runState}`;
    if (/\n\s+at /.test(instance.stderr)) return `crash: ${instance.stderr.slice(-300)}`;
    return end;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const { exit } = instance;
    if (exit !== undefined) return `crash: exit ${exit.signal ?? exit.code}: ${instance.stderr.slice(-300)}`;
    return `hang: ${why}`;
  } finally {
    for (const peer of peers) peer.close();
    await instance.dispose();
  }
}

async function ok(session: Session, name: string, args?: Readonly<Record<string, unknown>>): Promise<unknown> {
  const { value } = await session.command(name, args);
  const { error, return: result } = (value ?? {}) as { error?: { desc: string }; return?: unknown };
  if (error !== undefined) throw new Error(`${name}: ${error.desc}`);
  return result;
}

/** Asks until the status is one of these; each question lets the source go on. */
async function status(session: Session, wanted: readonly string[]): Promise<string> {
  const until = performance.now() + patience;
  for (;;) {
    const { status: now = 'none' } = (await ok(session, 'query-migrate')) as { status?: string };
    if (wanted.includes(now)) return now;
    if (ends.includes(now)) throw new Error(`${now}, where ${wanted.join(' or ')} was to come`);
    if (performance.now() > until) throw new Error(`still ${now}, not ${wanted.join(' or ')}`);
  }
}
