/** Which cells the matrix has, and why some of them cannot be. */
import type { DialectName } from '../reference/dialects/dialect.js';
import { type Mode, modes } from './modes.js';
import { type PartyName, partyNames } from './parties.js';
import { type TransportName, transportNames } from './transports.js';

export interface Cell {
  readonly source: PartyName;
  readonly destination: PartyName;
  readonly mode: Mode;
  readonly transport: TransportName;
  readonly versions: { readonly source: DialectName; readonly destination: DialectName };
  /** Why the protocol does not allow it; undefined where it has to work. */
  readonly impossible: string | undefined;
}

/** What is to be run; a member that is absent selects everything. */
export interface Selection {
  readonly sources?: readonly string[];
  readonly destinations?: readonly string[];
  readonly modes?: readonly string[];
  readonly transports?: readonly string[];
}

const own: Readonly<Partial<Record<PartyName, DialectName>>> = { 'qemu-7.2': '7.2', 'qemu-10.0': '10.0' };
const wants = (chosen: readonly string[] | undefined, name: string) => chosen === undefined || chosen.includes(name);

/** The cells of a selection, row by row. */
export function cells(selection: Selection = {}): Cell[] {
  const found: Cell[] = [];
  for (const source of partyNames.filter((name) => wants(selection.sources, name))) {
    for (const destination of partyNames.filter((name) => wants(selection.destinations, name))) {
      for (const mode of modes.filter(({ name }) => wants(selection.modes, name))) {
        for (const transport of transportNames.filter((name) => wants(selection.transports, name))) {
          found.push(cell(source, destination, mode, transport));
        }
      }
    }
  }
  return found;
}

function cell(source: PartyName, destination: PartyName, mode: Mode, transport: TransportName): Cell {
  // The reference speaks as its partner does; two of them speak the baseline where it has the mode.
  const alone = mode.versions === undefined || mode.versions.includes('3.0') ? '3.0' : '7.2';
  const versions = {
    source: own[source] ?? own[destination] ?? alone,
    destination: own[destination] ?? own[source] ?? alone,
  } as const;
  const why =
    impossible(mode, transport, versions) ??
    unpausable(source, mode, transport) ??
    withoutDevice(source, destination, mode) ??
    withoutMachine(source, destination, mode);
  return { source, destination, mode, transport, versions, impossible: why };
}

function impossible(mode: Mode, transport: TransportName, versions: Cell['versions']): string | undefined {
  for (const version of [versions.source, versions.destination]) {
    if (mode.versions?.includes(version) === false) return `${version} has no ${mode.name}`;
  }
  if (mode.channels && (transport === 'exec' || transport === 'fd')) {
    return 'multifd needs an address that several connections can be made to';
  }
  return undefined;
}

/** A real source shuts sockets down, and answers "Failed to pause source migration" where there is none. */
function unpausable(source: PartyName, mode: Mode, transport: TransportName): string | undefined {
  if (!mode.pauses || transport !== 'exec' || source === 'reference') return undefined;
  return 'a QEMU cannot pause a migration through the pipes of a child';
}

/** A real destination writes blocks only to a drive that a device uses, and dies otherwise. */
function withoutDevice(source: PartyName, destination: PartyName, mode: Mode): string | undefined {
  if (mode.drives !== 'block' || source !== 'reference' || destination === 'reference') return undefined;
  return "a QEMU takes blocks only for a drive that a device uses, and the reference's machine has no device";
}

function withoutMachine(source: PartyName, destination: PartyName, mode: Mode): string | undefined {
  if (mode.machine === undefined) return undefined;
  if (source === 'reference' && destination === 'reference') return 'neither end has devices of its own';
  const two = source !== 'reference' && destination !== 'reference' && source !== destination;
  return mode.machine === 'microvm' && two
    ? 'microvm has no versions, so two releases of it need not agree'
    : undefined;
}

/** Options without which two releases do not understand each other (stream-format.md §4, multifd.md §6). */
export function properties({ mode, versions }: Cell): { readonly source: string[]; readonly destination: string[] } {
  const source: string[] = [];
  const destination: string[] = [];
  const set = (list: string[], property: string) => list.push('-global', `migration.${property}`);
  if (versions.source === '10.0' && versions.destination !== '10.0') {
    set(source, 'send-switchover-start=off');
    if (mode.channels) set(source, 'multifd-flush-after-each-section=on');
  }
  if (mode.channels && versions.destination === '10.0' && versions.source !== '10.0') {
    set(destination, 'multifd-flush-after-each-section=on');
  }
  if (mode.machine !== undefined) {
    // The oldest of the two releases names the machine that both have.
    const oldest = [versions.source, versions.destination].sort((a, b) => Number(a) - Number(b))[0];
    const type = mode.machine === 'pc' ? `pc-i440fx-${oldest}` : mode.machine;
    for (const list of [source, destination]) list.push('-machine', type);
    destination.push('-S');
  }
  return { source, destination };
}

/** Parameters of the source that an older destination needs. */
export function sourceParameters({ mode, versions }: Cell): Readonly<Record<string, unknown>> {
  const plainZeroes = mode.channels && versions.source === '10.0' && versions.destination !== '10.0';
  return plainZeroes ? { 'zero-page-detection': 'legacy' } : {};
}
