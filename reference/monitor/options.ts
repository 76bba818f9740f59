/** The command line, which is QEMU's as far as a machine without devices and its monitors need it. */
import { type DialectName, dialectNames } from '../dialects/dialect.js';
import { type GuestOptions, guestPatterns } from '../guest/guest-options.js';
import { type Address, parseChardev, parseLegacyAddress } from './address.js';
import { type DriveSpec, readBlockdev, readDrive } from './drive-options.js';
import { KeyReader, parseKeyValues } from './key-values.js';
import { UsageError } from './usage-error.js';

export interface MonitorSpec {
  /** The option that asked for it, as it was given. */
  readonly option: string;
  readonly address: Address;
  readonly pretty: boolean;
  /** `x-oob` as given; absent: not given. */
  readonly oob: boolean | undefined;
}

export interface LoaderSpec {
  readonly option: string;
  readonly file: string;
  /** Guest physical address. */
  readonly address: number;
}

/** RAM whose content is a file's (`-object memory-backend-file`). */
export interface BackendSpec {
  readonly option: string;
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

export interface Options {
  dialect: DialectName;
  readonly faults: Set<string>;
  /** Benign variations (`--vary`). */
  readonly variations: Set<string>;
  readonly monitors: MonitorSpec[];
  /** RAM in bytes. */
  memory: number;
  readonly loaders: LoaderSpec[];
  readonly backends: Map<string, BackendSpec>;
  /** Id of the machine's memory backend. */
  backend: string | undefined;
  /** URI, or `defer`. */
  incoming: string | undefined;
  /** `-compat deprecated-input=reject`: commands that are deprecated are refused. */
  rejectsDeprecated: boolean;
  startStopped: boolean;
  preconfig: boolean;
  guestName: string | undefined;
  uuid: string | undefined;
  pidfile: string | undefined;
  /** `-global migration.NAME=VALUE`. */
  readonly migrationProperties: Map<string, string>;
  /** Whatever machine an incoming stream is of, it becomes this one. */
  anyMachine: boolean;
  readonly drives: DriveSpec[];
  /** `--guest`: something that dirties memory. */
  guest: GuestOptions | undefined;
  /** Listeners may be reachable from other hosts. */
  allowRemote: boolean;
  /** `exec:` addresses may be used in migration URIs. */
  allowExec: boolean;
  /** Each line on standard error begins with the time. */
  timestamps: boolean;
  /** Show the version, or the options, and leave. */
  show: 'version' | 'help' | undefined;
}

const defaultMemory = 128 * 1024 * 1024;
// What the RAM buffer of one process can be.
const maxMemory = 4 * 1024 ** 3;

interface Context extends Options {
  readonly chardevs: Map<string, Address>;
}

/** Reads one option; `value` is empty for those without. */
type Read = (context: Context, value: string, option: string) => void;

const ignore: Read = () => {};

/** Accepts `none` and nothing else. */
const onlyNone =
  (what: string): Read =>
  (_context, value, option) => {
    if (value !== 'none') throw new UsageError(`${option}: ${what}; only 'none' is possible here`);
  };

function parseSize(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?)([kKmMgGtT]?)[bB]?$/.exec(text);
  if (!match) throw new UsageError(`${option}: Parameter 'size' expects a non-negative number below 2^64`);
  const power = ['K', 'M', 'G', 'T'].indexOf((match[2] || 'M').toUpperCase()) + 1;
  return Math.floor(Number(match[1]) * 1024 ** power);
}

function readMemory(context: Context, value: string, option: string): void {
  const { first, values } = parseKeyValues(value, true);
  const keys = new KeyReader(values, option);
  const size = parseSize(first ?? keys.text('size') ?? '128', option);
  for (const key of ['slots', 'maxmem']) keys.text(key);
  keys.end();
  if (size > maxMemory) throw new UsageError(`${option}: at most 4 GiB of guest RAM are possible here`);
  // As QEMU does, round up to 8 KiB; no size means the default.
  context.memory = size === 0 ? defaultMemory : Math.ceil(size / 8192) * 8192;
}

function readMachine(context: Context, value: string, option: string): void {
  const { first, values } = parseKeyValues(value, true);
  const keys = new KeyReader(values, option);
  const name = first ?? keys.text('type') ?? 'none';
  const backend = keys.text('memory-backend');
  if (name !== 'none') throw new UsageError(`${option}: unsupported machine type; this monitor offers only 'none'`);
  keys.end();
  if (backend !== undefined) context.backend = backend;
}

/** Memory that is a file's; as nothing can be mapped here, the file is read at the start and at each reset. */
function readObject(context: Context, value: string, option: string): void {
  const { first, values } = parseKeyValues(value, true);
  const keys = new KeyReader(values, option);
  if (first !== 'memory-backend-file')
    throw new UsageError(`${option}: '${first ?? ''}' cannot be made here; only memory-backend-file can`);
  const [id, path, size] = [keys.text('id'), keys.text('mem-path'), keys.text('size')];
  keys.flag('share', false);
  keys.end();
  if (id === undefined || path === undefined || size === undefined)
    throw new UsageError(`${option}: id, mem-path and size are needed`);
  context.backends.set(id, { option, path, size: parseSize(size, option) });
}

function readMon(context: Context, value: string, option: string): void {
  const { first, values } = parseKeyValues(value, true);
  const keys = new KeyReader(values, option);
  const chardev = first ?? keys.text('chardev');
  const mode = keys.text('mode') ?? 'readline';
  const pretty = keys.flag('pretty', false);
  const oob = keys.text('x-oob');
  keys.end();
  if (chardev === undefined) throw new UsageError(`${option}: Parameter 'chardev' is missing`);
  const address = context.chardevs.get(chardev);
  if (address === undefined) throw new UsageError(`${option}: chardev "${chardev}" not found`);
  if (mode !== 'control')
    throw new UsageError(`${option}: there is no human monitor here; use mode=control (oob and pretty need it, too)`);
  context.monitors.push({ option, address, pretty, oob: oob === undefined ? undefined : /^(on|yes|true)$/.test(oob) });
}

const readQmp =
  (pretty: boolean): Read =>
  (context, value, option) => {
    context.monitors.push({ option, address: parseLegacyAddress(value, option), pretty, oob: undefined });
  };

function readDevice(context: Context, value: string, option: string): void {
  const { first, values } = parseKeyValues(value, true);
  if (first !== 'loader')
    throw new UsageError(`${option}: '${first ?? ''}' is not a valid device model name; only loader is`);
  const keys = new KeyReader(values, option);
  const file = keys.text('file');
  const address = keys.text('addr') ?? '0';
  keys.flag('force-raw', true);
  keys.text('id');
  keys.end();
  if (file === undefined) throw new UsageError(`${option}: Parameter 'file' is missing`);
  if (!/^(0[xX][0-9a-fA-F]{1,12}|\d{1,15})$/.test(address))
    throw new UsageError(`${option}: Parameter 'addr' expects an address`);
  context.loaders.push({ option, file, address: Number(address) });
}

function readGlobal(context: Context, value: string, option: string): void {
  const match = /^(?:driver=)?([^.,=]+)(?:\.|,property=)([^=,]+)(?:=|,value=)(.*)$/s.exec(value);
  if (!match) throw new UsageError(`${option}: expected migration.PROPERTY=VALUE`);
  if (match[1] === 'migration') context.migrationProperties.set(match[2]!, match[3]!);
}

function readCompat(context: Context, value: string, option: string): void {
  const { values } = parseKeyValues(value, false);
  const keys = new KeyReader(values, option);
  for (const name of ['deprecated-input', 'deprecated-output', 'unstable-input', 'unstable-output']) {
    const policy = keys.text(name) ?? 'accept';
    const rejects = name === 'deprecated-input' && policy === 'reject';
    if (policy !== 'accept' && !rejects)
      throw new UsageError(`${option}: ${name}=${policy} is not possible here; accept is, and deprecated-input=reject`);
    if (rejects) context.rejectsDeprecated = true;
  }
  keys.end();
}

function readGuest(context: Context, value: string, option: string): void {
  const keys = new KeyReader(parseKeyValues(value, false).values, option);
  const pattern = keys.text('pattern') ?? 'counter';
  const known = guestPatterns.find((name) => name === pattern);
  if (known === undefined) {
    throw new UsageError(
      `${option}: Parameter 'pattern' does not accept value '${pattern}'; known are ${guestPatterns.join(', ')}`,
    );
  }
  const rate = keys.number('rate', 1000);
  const pages = keys.number('pages', 0);
  const from = keys.number('from', 0);
  keys.end();
  context.guest = { rate, pattern: known, from, ...(pages === 0 ? {} : { pages }) };
}

function readDialect(context: Context, value: string, option: string): void {
  const dialect = dialectNames.find((name) => name === value);
  if (!dialect) throw new UsageError(`${option}: unknown dialect; known are ${dialectNames.join(', ')}`);
  context.dialect = dialect;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const withValue: Readonly<Record<string, Read>> = {
  qmp: readQmp(false),
  'qmp-pretty': readQmp(true),
  chardev: (context, value, option) => {
    const { id, address } = parseChardev(value, option);
    if (context.chardevs.has(id)) throw new UsageError(`${option}: Duplicate ID '${id}' for chardev`);
    context.chardevs.set(id, address);
  },
  mon: readMon,
  incoming: (context, value) => {
    context.incoming = value;
  },
  m: readMemory,
  M: readMachine,
  machine: readMachine,
  name: (context, value) => {
    const { first, values } = parseKeyValues(value, true);
    context.guestName = first ?? values.get('guest');
  },
  device: readDevice,
  drive: (context, value, option) => {
    context.drives.push(readDrive(value, option));
  },
  blockdev: (context, value, option) => {
    context.drives.push(readBlockdev(value, option));
  },
  object: readObject,
  global: readGlobal,
  uuid: (context, value, option) => {
    if (!uuid.test(value)) throw new UsageError(`${option}: failed to parse UUID string: wrong format`);
    context.uuid = value;
  },
  msg: (context, value, option) => {
    const keys = new KeyReader(parseKeyValues(value, false).values, option);
    context.timestamps = keys.flag('timestamp', context.timestamps);
    keys.flag('guest-name', false);
    keys.end();
  },
  pidfile: (context, value) => {
    context.pidfile = value;
  },
  display: ignore,
  compat: readCompat,
  vga: ignore,
  accel: ignore,
  cpu: ignore,
  smp: ignore,
  rtc: ignore,
  monitor: onlyNone('there is no human monitor'),
  serial: onlyNone('there are no serial ports'),
  parallel: onlyNone('there are no parallel ports'),
  net: onlyNone('there is no network'),
  nic: onlyNone('there is no network'),
  dialect: readDialect,
  guest: readGuest,
  fault: (context, value) => {
    context.faults.add(value);
  },
  vary: (context, value) => {
    context.variations.add(value);
  },
};

const withoutValue: Readonly<Record<string, (context: Context) => void>> = {
  S: (context) => {
    context.startStopped = true;
  },
  preconfig: (context) => {
    context.preconfig = true;
  },
  version: (context) => {
    context.show = 'version';
  },
  help: (context) => {
    context.show = 'help';
  },
  h: (context) => {
    context.show = 'help';
  },
  'allow-remote': (context) => {
    context.allowRemote = true;
  },
  'any-machine': (context) => {
    context.anyMachine = true;
  },
  'allow-exec': (context) => {
    context.allowExec = true;
  },
  nodefaults: () => {},
  nographic: () => {},
  'no-user-config': () => {},
  'no-shutdown': () => {},
  'no-reboot': () => {},
  'enable-kvm': () => {},
};

/**
 * Reads the arguments, without the program's name. One dash or two make no difference.
 * @throws UsageError naming the option at fault.
 */
export function parseOptions(argv: readonly string[]): Options {
  const context: Context = {
    dialect: '3.0',
    faults: new Set(),
    variations: new Set(),
    monitors: [],
    chardevs: new Map(),
    memory: defaultMemory,
    loaders: [],
    backends: new Map(),
    backend: undefined,
    incoming: undefined,
    rejectsDeprecated: false,
    startStopped: false,
    preconfig: false,
    guestName: undefined,
    uuid: undefined,
    pidfile: undefined,
    migrationProperties: new Map(),
    anyMachine: false,
    drives: [],
    guest: undefined,
    allowRemote: false,
    allowExec: false,
    timestamps: false,
    show: undefined,
  };
  // QEMU knows all character devices before it looks at the first monitor, so `-mon` may come first.
  const later: (() => void)[] = [];
  for (let at = 0; at < argv.length; at++) {
    const option = argv[at]!;
    const name = option.replace(/^--?/, '');
    const plain = Object.hasOwn(withoutValue, name) ? withoutValue[name] : undefined;
    const read = Object.hasOwn(withValue, name) ? withValue[name] : undefined;
    if (name === option) throw new UsageError(`${option}: unexpected argument; there are no disk images here`);
    if (plain) plain(context);
    else if (read) {
      const value = argv[++at];
      if (value === undefined) throw new UsageError(`${option}: requires an argument`);
      const run = () => read(context, value, `${option} ${value}`);
      if (name === 'mon' || name === 'qmp' || name === 'qmp-pretty') later.push(run);
      else run();
    } else throw new UsageError(`${option}: invalid option`);
  }
  for (const run of later) run();
  const { backend } = context;
  const size = backend === undefined ? context.memory : context.backends.get(backend)?.size;
  if (size === undefined) throw new UsageError(`-machine memory-backend=${backend}: there is no such object`);
  if (size !== context.memory)
    throw new UsageError(`-machine memory-backend=${backend}: its size is not that of the guest's RAM (-m)`);
  return context;
}
