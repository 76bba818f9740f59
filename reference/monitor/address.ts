/** Where a monitor is to be reached, as `-qmp` and `-chardev` say it. */
import { KeyReader, parseKeyValues } from './key-values.js';
import { UsageError } from './usage-error.js';

interface SocketOptions {
  readonly server: boolean;
  /** A server blocks the start until its first client is there (QMP-TRANS-04). */
  readonly wait: boolean;
  /** Milliseconds until a connecting monitor tries again; 0: never (QMP-TRANS-02). */
  readonly reconnectMs: number;
}

export type Address =
  | ({ readonly kind: 'unix'; readonly path: string } & SocketOptions)
  | ({ readonly kind: 'tcp'; readonly host: string; readonly port: number } & SocketOptions)
  | { readonly kind: 'stdio'; readonly multiplexed: boolean };

// A path must fit, with its terminator, into a socket address.
const maxPathBytes = 107;

function socketOptions(keys: KeyReader): SocketOptions {
  const server = keys.flag('server', false);
  const options = {
    server,
    wait: keys.flag('wait', server),
    reconnectMs: keys.number('reconnect-ms', keys.number('reconnect', 0) * 1000),
  };
  // Known to QEMU and without meaning here.
  for (const key of ['nodelay', 'delay', 'telnet', 'ipv4', 'ipv6', 'to', 'logfile']) keys.text(key);
  keys.end();
  return options;
}

function unixAddress(path: string, keys: KeyReader, option: string): Address {
  if (path === '') throw new UsageError(`${option}: the socket path is empty`);
  if (Buffer.byteLength(path) > maxPathBytes)
    throw new UsageError(`${option}: UNIX socket path '${path}' is too long: path must be less than 108 bytes`);
  return { kind: 'unix', path, ...socketOptions(keys) };
}

function tcpAddress(host: string, port: string, keys: KeyReader, option: string): Address {
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535)
    throw new UsageError(`${option}: '${port}' is not a port number`);
  return { kind: 'tcp', host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port), ...socketOptions(keys) };
}

/** `unix:PATH,…`, `tcp:HOST:PORT,…` or `stdio`, the form of `-qmp`. `option` is shown in errors. */
export function parseLegacyAddress(text: string, option: string): Address {
  const { first = '', values } = parseKeyValues(text, true);
  const keys = new KeyReader(values, option);
  if (first.startsWith('unix:')) return unixAddress(first.slice(5), keys, option);
  if (first.startsWith('tcp:')) {
    const colon = first.lastIndexOf(':');
    if (colon < 4) throw new UsageError(`${option}: parse error: ${text}`);
    return tcpAddress(first.slice(4, colon), first.slice(colon + 1), keys, option);
  }
  if (first === 'stdio' || first === 'mon:stdio') {
    keys.end();
    return { kind: 'stdio', multiplexed: first.startsWith('mon:') };
  }
  throw new UsageError(`${option}: '${first}' is not a valid char driver; use unix:PATH, tcp:HOST:PORT or stdio`);
}

/** `socket,id=ID,path=PATH,…`, `socket,id=ID,host=HOST,port=PORT,…` or `stdio,id=ID`, the form of `-chardev`. */
export function parseChardev(text: string, option: string): { readonly id: string; readonly address: Address } {
  const { first, values } = parseKeyValues(text, true);
  const keys = new KeyReader(values, option);
  const id = keys.text('id');
  if (id === undefined) throw new UsageError(`${option}: Parameter 'id' is missing`);
  if (first === 'stdio') {
    const multiplexed = keys.flag('mux', false);
    keys.flag('signal', true);
    keys.end();
    return { id, address: { kind: 'stdio', multiplexed } };
  }
  if (first !== 'socket')
    throw new UsageError(`${option}: '${first ?? ''}' is not a valid char driver name; use socket or stdio`);
  const path = keys.text('path');
  if (path !== undefined) return { id, address: unixAddress(path, keys, option) };
  const port = keys.text('port');
  if (port === undefined) throw new UsageError(`${option}: give 'path', or 'host' and 'port'`);
  return { id, address: tcpAddress(keys.text('host') ?? '', port, keys, option) };
}
