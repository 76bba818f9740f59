/**
 * Anything generated stays inside the run: migrations go to channels of the scenario or to loopback, programs come from a fixed
 * list, no file outside the run's folder is named, and no command that could do otherwise is sent. The executor refuses
 * what this finds fault with, wherever it came from.
 */
import { stringifyJson } from '../protocol/json.js';
import type { Scenario, Step } from '../targets/scenario.js';
import type { StartOptions } from '../targets/target.js';

/** Everything that `exec:` may start. None of it reads or writes a file, or outlives its input. */
const harmlessPrograms: ReadonlySet<string> = new Set([
  'exec:cat >/dev/null',
  'exec:cat > /dev/null',
  'exec:true',
  'exec:false',
  'exec:exit 1',
]);

/** Commands that write files, start programs, open listeners or drive the monitor by other means. */
const outward = new RegExp(
  `^(${[
    'human-monitor-command',
    'dump-guest-memory',
    'screendump',
    'p?memsave',
    'xen-save-devices-state',
    'snapshot-save',
    'device_add',
    'netdev_add',
    'object-add',
    'chardev-(add|change)',
    'blockdev-(create|snapshot.*|backup|mirror|change-medium)',
    'drive-(backup|mirror)',
    'block-(commit|stream|export-add)',
    'nbd-server-(start|add)',
    'change',
    'add_client',
    'getfd-path',
    'trace-event-set-state',
    'block-latency-histogram-set',
    'x-debug-.*',
  ].join('|')})$`,
);

/** Options of a start that change how the machine behaves and touch nothing else. */
const harmlessOptions = new Set([
  '-global',
  '-compat',
  '-only-migratable',
  '--preconfig',
  '-no-shutdown',
  '-S',
  '-uuid',
  // What writes to its own memory, in the reference.
  '-guest',
]);

const channel = /^unix:\{channel [a-z0-9]{1,12}\}$/;
const loopback = /^tcp:(127\.0\.0\.1|localhost|\[::1\])(:\d{0,5})?$/i;
/** Addresses that no monitor knows, or that name nothing. */
const nowhere = /^(defer|qmpspec:.*|fd:qmpspec.*|)$/;

/** What would be wrong with sending this text as an address, a name or a path; `undefined` when nothing is. */
function harmOfText(text: string): string | undefined {
  if (harmlessPrograms.has(text) || channel.test(text) || loopback.test(text) || nowhere.test(text)) return undefined;
  if (/^exec:/i.test(text)) return `the program ${text} is not one of those that may be started`;
  if (/^(unix|tcp|udp|rdma|vsock|file|fd|nbd|https?|ftps?|ssh|json):/i.test(text))
    return `the address ${text} is neither a channel of the scenario nor on loopback`;
  if (/\/|\.\.|^~/.test(text)) return `${text} may name a file outside the run's folder`;
  return undefined;
}

/** Addresses in parts, as later releases take them beside those in one text. */
function harmOfTransport(address: { transport?: unknown; type?: unknown; host?: unknown; path?: unknown }) {
  const { transport, type, host, path } = address;
  if (transport === 'exec') return 'a transport starts a program';
  if (transport === 'file') return 'a transport writes a file';
  if (transport === 'rdma' || (transport === 'socket' && type === 'vsock')) return `a transport leaves this machine`;
  if (transport !== 'socket') return undefined;
  if (type === 'inet' && typeof host === 'string' && !/^(127\.0\.0\.1|localhost|::1)$/i.test(host))
    return `the host ${host} is not on loopback`;
  if (type === 'unix' && typeof path === 'string' && !channel.test(`unix:${path}`))
    return `the socket ${path} is not a channel of the scenario`;
  return undefined;
}

function harmOfValue(value: unknown): string | undefined {
  if (typeof value === 'string') return harmOfText(value);
  if (typeof value !== 'object' || value === null) return undefined;
  const harm = harmOfTransport(value);
  if (harm !== undefined) return harm;
  for (const one of Array.isArray(value) ? value : Object.values(value)) {
    const inside = harmOfValue(one);
    if (inside !== undefined) return inside;
  }
  return undefined;
}

/** What such a command may be told all the same: it only asks, or its file is in the run's folder. */
const inward: Readonly<Record<string, RegExp>> = {
  'human-monitor-command': /^\{"command-line":"info status"\}$/,
  'xen-save-devices-state': /^\{"filename":"\{channel [a-z0-9]{1,12}\}"\}$/,
};

function harmOfCommand(execute: string, args: unknown): string | undefined {
  if (inward[execute]?.test(stringifyJson(args ?? null))) return undefined;
  if (outward.test(execute)) return `the command ${execute} reaches outside the monitor`;
  return harmOfValue(args);
}

/** Bytes are looked through for commands that reach outward, however they are spelled. */
function harmOfBytes(bytes: string): string | undefined {
  const text = bytes.replace(/\\u([0-9a-fA-F]{4})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  for (const [, word] of text.matchAll(/["']([\w-]+)["']/g)) {
    if (outward.test(word as string)) return `the command ${word} reaches outside the monitor`;
  }
  // Only commands of migration take addresses; elsewhere such a word is a name that went wrong.
  if (/migrat/.test(text)) {
    for (const [, address] of text.matchAll(/["']((?:exec|unix|tcp|rdma|file|vsock):[^"']*)["']/gi)) {
      const harm = harmOfText((address as string).replaceAll('\\/', '/'));
      if (harm !== undefined) return harm;
    }
  }
  const [, transport] = /["']transport["']\s*:\s*["'](exec|file|rdma)["']/.exec(text) ?? [];
  return transport === undefined ? undefined : harmOfTransport({ transport });
}

/** MiB of guest RAM: a host has that, beside another machine of the size. */
const mostMemory = 4096;

function harmOfStart({ incoming, ramImage, name, memory = 0, extra = [] }: StartOptions): string | undefined {
  if (!(memory <= mostMemory)) return `${memory} MiB of memory may be more than the host has`;
  if (incoming !== undefined && harmOfText(incoming) !== undefined) return harmOfText(incoming);
  if (ramImage !== undefined && !/^\{image \d+\}$/.test(ramImage)) return `${ramImage} is not an image of the scenario`;
  if (name !== undefined && harmOfText(name) !== undefined) return harmOfText(name);
  for (const word of extra) {
    if (word.startsWith('-') && !harmlessOptions.has(word)) return `the option ${word} is not one of the harmless ones`;
    if (/[/~]|\.\./.test(word)) return `${word} may name a file outside the run's folder`;
  }
  return undefined;
}

function harmOfStep(step: Step): string | undefined {
  switch (step.do) {
    case 'start':
      return harmOfStart(step.options ?? {});
    case 'command':
      return harmOfCommand(step.execute, step.arguments);
    case 'pipeline':
      return step.commands.map((one) => harmOfCommand(one.execute, one.arguments)).find((harm) => harm !== undefined);
    case 'connect':
      return (step.before ?? [])
        .map((one) => harmOfCommand(one.execute, one.arguments))
        .find((harm) => harm !== undefined);
    case 'raw':
      return harmOfBytes(step.bytes);
    default:
      return undefined;
  }
}

/** The first thing in a scenario that could reach outside its run, in words; `undefined` when there is none. */
export function harmIn(scenario: Scenario): string | undefined {
  for (const [index, step] of scenario.steps.entries()) {
    const harm = harmOfStep(step);
    if (harm !== undefined) return `step ${index + 1} (${stringifyJson(step).slice(0, 80)}): ${harm}`;
  }
  return undefined;
}
