/** The target of a lie: a truthful monitor, and between it and its clients a relay of ours. */
import { mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { Session } from '../../protocol/session.js';
import { qemuArguments } from '../../targets/arguments.js';
import { ExecutableTarget, findProgram } from '../../targets/executable.js';
import { PipeEnd } from '../../targets/in-process/pipe.js';
import { hostWorld, InProcessTarget } from '../../targets/in-process/target.js';
import { hostCarrier } from '../../targets/in-process/world.js';
import { SocketWatch } from '../../targets/socket-watch.js';
import { type Instance, NotOffered, type StartOptions, type Target } from '../../targets/target.js';
import type { Lie } from './lie.js';
import { lieNamed } from './lies.js';
import { Relay } from './relay.js';

/** What stands in the middle knows plain monitors on unix sockets. */
function refuse({ monitors = [{ transport: 'unix' }], extra = [] }: StartOptions): void {
  const alone = !extra.some((word) => /^-(qmp|mon|chardev)/.test(word));
  const plain = monitors.every(({ transport, pretty, oob }) => transport === 'unix' && !pretty && !oob);
  if (!alone || !plain) throw new NotOffered('a relay stands before plain monitors on unix sockets only');
}

/** Milliseconds in which a monitor that is not stuck answers its first client. */
const firstAnswer = 2000;

/**
 * Talks with a monitor that is starting. Two threads of a QEMU may hear of its first client, and the one that comes second
 * then waits for another client, and keeps its process from answering anybody.
 * @returns false where it did not answer, and may answer the next one
 */
async function talks(path: string, watch: SocketWatch, stop: () => void): Promise<boolean> {
  const open = () => Session.connect({ kind: 'unix', path }, { starting: true, deadline: firstAnswer });
  const session = await watch.connects(open, stop);
  try {
    await session.negotiate();
    return true;
  } catch {
    return false;
  } finally {
    session.close();
  }
}

/** Listens once the truthful monitors answer. */
async function intercept(
  relay: Relay,
  scratch: string,
  places: readonly (readonly [listen: string, truth: string])[],
): Promise<{ close(): void }> {
  const watch = new SocketWatch(scratch);
  const servers: Server[] = [];
  let closed = false;
  const stop = () => {
    if (closed) throw new Error('the monitor has gone');
  };
  const open = async () => {
    // As with a process that has several monitors: who is served by one finds them all.
    for (const [, path] of places) {
      while (!closed && !(await talks(path, watch, stop)));
      if (closed) return;
    }
    for (const [index, [listen]] of places.entries()) {
      const server = createServer({ allowHalfOpen: true }, (client) => relay.serve(client, index));
      server.on('error', () => undefined);
      servers.push(server.listen(listen));
    }
  };
  void open()
    .catch(() => undefined)
    .finally(() => watch.close());
  return {
    close: () => {
      closed = true;
      watch.wake();
      for (const server of servers) server.close();
      relay.close();
    },
  };
}

/** A shell that hands signals on, and knows in `$s` how its program ended. */
const untilItEnds =
  '"$@" & p=$!; for n in TERM INT HUP; do trap "kill -$n $p" $n; done; ' +
  'wait $p; s=$?; while kill -0 $p 2>/dev/null; do wait $p; s=$?; done';

class LyingTarget extends ExecutableTarget {
  private readonly relays = new Map<string, { close(): void }>();

  constructor(name: string, lie: Lie, program: string, deadline: number) {
    const command = findProgram(program);
    const relays = new Map<string, { close(): void }>();
    super(
      name,
      `${command}, but ${lie.says}`,
      async (options, scratch) => {
        refuse(options);
        mkdirSync(scratch, { recursive: true, mode: 0o700 });
        const { monitors = [{}], incoming } = options;
        const places = monitors.map(
          (_, index) => [join(scratch, `qmp${index + 1}.sock`), join(scratch, `truth${index + 1}.sock`)] as const,
        );
        const truths = places.map(([, truth]) => truth);
        const relay = new Relay(lie, truths, incoming !== undefined);
        const waiting = incoming === undefined ? {} : { incoming: relay.waitsOn(incoming) };
        const { args } = await qemuArguments({ ...options, ...waiting, monitors: [] }, scratch, async () => 0);
        relays.set(scratch, await intercept(relay, scratch, places));
        const words = [command, ...args, ...truths.flatMap((truth) => ['-qmp', `unix:${truth},server,nowait`])];
        const [first, ...rest] =
          lie.exit === undefined ? words : ['/bin/sh', '-c', `${untilItEnds}; ${lie.exit}`, 'sh', ...words];
        return { command: first as string, args: rest, monitors: places.map(([path]) => ({ kind: 'unix', path })) };
      },
      { direct: 'a relay stands between this tool and the monitor' },
      { deadline, readiness: 20_000 },
    );
    this.relays = relays;
  }

  override async start(options: StartOptions = {}): Promise<Instance> {
    const instance = await super.start(options);
    const { dispose } = instance;
    instance.dispose = async () => {
      await dispose.call(instance);
      this.relays.get(instance.scratch)?.close();
      this.relays.delete(instance.scratch);
    };
    return instance;
  }

  override async close(): Promise<void> {
    await super.close();
    for (const relay of this.relays.values()) relay.close();
    this.relays.clear();
  }
}

/** A lie before the reference in this process, for a first look: what ends a process or changes a stream is not seen. */
export function lyingReference(name: string, deadline: number): Target {
  const lie = lieNamed(name);
  if (lie === undefined) throw new Error(`there is no lie '${name}'`);
  const between = (monitor: PipeEnd, { incoming }: StartOptions): PipeEnd => {
    const [seen, client] = PipeEnd.pair(hostCarrier);
    new Relay(lie, [''], incoming !== undefined).join(client, monitor);
    return seen;
  };
  return new InProcessTarget({ name, deadline, world: { ...hostWorld, between } });
}

/** @param qemu program of a QEMU, the truthful monitor */
export function lyingTarget(name: string, qemu: string): Target {
  const lie = lieNamed(name);
  if (lie === undefined) throw new Error(`there is no lie '${name}'`);
  // A missing reply costs this once, and once more when the monitor is probed afterwards. What only varies may be slow.
  return new LyingTarget(name, lie, qemu, /^vary[-:]|^truth/.test(name) ? 8000 : 1500);
}
