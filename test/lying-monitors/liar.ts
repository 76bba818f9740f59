/**
 * A monitor that lies: starts a truthful one, relays between it and a client, and changes what the lie of the given name
 * changes. Arguments: name of the lie, socket to listen on, socket of the truthful monitor, its command.
 */
import { spawn } from 'node:child_process';
import { connect, createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { openSocket } from '../../protocol/address.js';
import { hostClock } from '../../protocol/clock.js';
import { Framer } from '../../protocol/framing.js';
import { isObject, type JsonObject, parseJson, sameJson, stringifyJson } from '../../protocol/json.js';
import { kindOf } from '../../protocol/message.js';
import { Outlet } from '../../reference/monitor/outlet.js';
import { SocketWatch } from '../../targets/socket-watch.js';
import { type Said, spaced, type Talk } from './lie.js';
import { lieNamed } from './lies.js';

const [name = '', listen = '', truth = '', program = '', ...args] = process.argv.slice(2);
const lie = lieNamed(name);
if (lie === undefined) throw new Error(`there is no lie '${name}'`);

const monitor = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
// Whoever asks us to end asks the monitor.
process.on('SIGTERM', () => monitor.kill('SIGTERM'));
monitor.on('exit', (code, signal) => {
  process.removeAllListeners('SIGTERM');
  if (signal !== null) process.kill(process.pid, signal);
  else process.exit(code ?? 1);
});

const shared = new Map<string, unknown>();
const ours = 'liar:';

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

function relay(client: Socket): void {
  const upstream = connect({ path: truth, allowHalfOpen: true });
  // Messages of the client to which the monitor owes a reply, oldest first.
  const owed: (JsonObject | undefined)[] = [];
  const memory = new Map<string, unknown>();
  const outlet = new Outlet(client, hostClock);
  let negotiated = false;
  let asked = 0;
  const talk = (command: JsonObject | undefined): Talk => ({
    command,
    negotiated,
    waiting: owed.length,
    memory,
    shared,
    after: (ms, callback) => void setTimeout(callback, ms),
    say: (said) => say(said),
    ask: (one) => void upstream.write(`${stringifyJson({ ...one, id: `${ours}${++asked}` })}\n`),
  });

  const say = (said: Said): void => {
    let bytes: Buffer = Buffer.concat([Buffer.isBuffer(said) ? said : Buffer.from(spaced(said)), Buffer.from('\r\n')]);
    if (lie?.bytes !== undefined) bytes = lie.bytes(bytes);
    const text = bytes.toString('latin1');
    outlet.write(lie?.write?.(text) ?? [{ text }]);
  };

  const fromClient = new Framer();
  client.on('data', (chunk: Buffer) => {
    for (const { bytes } of fromClient.push(chunk)) {
      const message = parsed(bytes);
      if (lie?.up === undefined || message === undefined) {
        owed.push(message);
        if (lie?.up !== undefined) upstream.write(Buffer.concat([bytes, Buffer.from('\n')]));
        continue;
      }
      const changed = lie.up(message, talk(message));
      if (changed === undefined) continue;
      owed.push(message);
      upstream.write(`${stringifyJson(changed)}\n`);
    }
    if (lie?.up === undefined) upstream.write(chunk);
  });

  const fromMonitor = new Framer();
  upstream.on('data', (chunk: Buffer) => {
    for (const { bytes } of fromMonitor.push(chunk)) {
      const message = parsed(bytes);
      if (message === undefined) {
        say(bytes);
        continue;
      }
      const kind = kindOf(message);
      if (typeof message.id === 'string' && message.id.startsWith(ours)) continue;
      const command = kind === 'success' || kind === 'failure' ? answered(owed, message) : undefined;
      if (kind === 'success' && command?.execute === 'qmp_capabilities') negotiated = true;
      for (const said of lie?.down?.(message, talk(command)) ?? [message]) say(said === message ? bytes : said);
    }
  });

  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.on('end', () => void (to === client ? outlet.emptied() : Promise.resolve()).then(() => to.end()));
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
  }
}

// One listener, opened once: each try ends before the next begins.
const watch = new SocketWatch(dirname(truth));
void watch
  .connects(() => openSocket({ kind: 'unix', path: truth }, 5000))
  .then((first) => {
    watch.close();
    first.destroy();
    createServer({ allowHalfOpen: true }, relay).listen(listen);
  });
