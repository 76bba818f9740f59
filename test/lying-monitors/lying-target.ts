/** The target of a lie: a truthful monitor, and between it and its clients a relay of ours. */
import { mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { openSocket } from '../../protocol/address.js';
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

/** What stands in the middle is reached at one place. */
function refuse({ monitors = [{ transport: 'unix' }], extra = [] }: StartOptions): void {
  const [monitor] = monitors;
  const alone = !extra.some((word) => /^-(qmp|mon|chardev)/.test(word));
  const plain = alone && monitors.length === 1 && monitor?.transport === 'unix' && !monitor.pretty && !monitor.oob;
  if (!plain) throw new NotOffered('it has one plain monitor, on a unix socket');
}

/** Listens once the truthful monitor does. */
async function intercept(
  lie: Lie,
  scratch: string,
  incoming: boolean,
): Promise<{ listen: string; truth: string; close(): void }> {
  mkdirSync(scratch, { recursive: true, mode: 0o700 });
  const [listen, truth] = [join(scratch, 'qmp1.sock'), join(scratch, 'truth.sock')];
  const relay = new Relay(lie, truth, incoming);
  const watch = new SocketWatch(scratch);
  let server: Server | undefined;
  let closed = false;
  const stop = () => {
    if (closed) throw new Error('the monitor has gone');
  };
  void watch
    .connects(() => openSocket({ kind: 'unix', path: truth }, 5000), stop)
    .then((first) => {
      first.destroy();
      if (closed) return;
      server = createServer({ allowHalfOpen: true }, (client) => relay.serve(client)).listen(listen);
      server.on('error', () => undefined);
    })
    .catch(() => undefined)
    .finally(() => watch.close());
  return {
    listen,
    truth,
    close: () => {
      closed = true;
      watch.wake();
      server?.close();
      relay.close();
    },
  };
}

/** A shell that hands signals on, and knows in `$s` how its program ended. */
const waiting =
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
        const { args } = await qemuArguments({ ...options, monitors: [] }, scratch, async () => 0);
        const relay = await intercept(lie, scratch, options.incoming !== undefined);
        relays.set(scratch, relay);
        const { listen, truth } = relay;
        const words = [command, ...args, '-qmp', `unix:${truth},server,nowait`];
        const [first, ...rest] =
          lie.exit === undefined ? words : ['/bin/sh', '-c', `${waiting}; ${lie.exit}`, 'sh', ...words];
        return { command: first as string, args: rest, monitors: [{ kind: 'unix', path: listen }] };
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
    new Relay(lie, '', incoming !== undefined).join(client, monitor);
    return seen;
  };
  return new InProcessTarget({ name, deadline, world: { ...hostWorld, between } });
}

/** @param qemu program of a QEMU, the truthful monitor */
export function lyingTarget(name: string, qemu: string): Target {
  const lie = lieNamed(name);
  if (lie === undefined) throw new Error(`there is no lie '${name}'`);
  // A missing reply costs this once, and once more when the monitor is probed afterwards. What only varies may be slow.
  return new LyingTarget(name, lie, qemu, /^vary[-:]|^truth$/.test(name) ? 8000 : 1500);
}
