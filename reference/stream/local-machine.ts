import type { StreamRules } from '../dialects/stream.js';
import { type DeviceLayout, emptyMachineDevices } from './device-layout.js';
import { ramSectionVersion } from './format.js';

/** A RAM block of the receiving machine. */
export interface LocalBlock {
  readonly name: string;
  /** Used length in bytes. */
  readonly length: number;
  /** Accepts another used length, up to this many bytes. */
  readonly maxLength?: number;
  /** Page size of the memory behind it, default 4096. */
  readonly pageSize?: number;
}

/** The receiving machine, as far as the stream is checked against it. */
export interface LocalMachine {
  readonly machineName: string;
  readonly blocks: readonly LocalBlock[];
  /** Capabilities that are on. */
  readonly capabilities: ReadonlySet<string>;
  /** Every capability name of this side; others in the configuration are refused. */
  readonly knownCapabilities: readonly string[];
  /** 16 bytes in text order; absent if the machine was given none. */
  readonly uuid?: Buffer;
  /** Device sections that the machine knows; default: those of an empty machine. */
  readonly devices?: readonly DeviceLayout[];
  /** Names of drives for the `block` section. */
  readonly drives?: readonly string[];
  /** Names of nodes for the `dirty-bitmap` section. */
  readonly nodes?: readonly string[];
}

/** What reads a section's body. */
export type BodyKind = 'ram' | 'block' | 'dirty-bitmap' | 'device';

/** A section handler of the receiver, with what START or FULL told of it. */
export interface SectionEntry {
  readonly idstr: string;
  readonly instance: number;
  /** Newest version that is understood. */
  readonly version: number;
  readonly kind: BodyKind;
  readonly layout?: DeviceLayout;
  /** Id that the sender chose; 0 before any START or FULL (stream-format.md §3). */
  sectionId: number;
  loadVersion: number;
}

/** The handlers of a machine in order of registration. */
export function sectionEntries(rules: StreamRules, machine: LocalMachine): SectionEntry[] {
  const entry = (idstr: string, kind: BodyKind, version: number): SectionEntry => {
    return { idstr, instance: 0, version, kind, sectionId: 0, loadVersion: 0 };
  };
  const devices = (machine.devices ?? emptyMachineDevices(rules)).map((layout): SectionEntry => {
    const { idstr, instance, version } = layout;
    return { idstr, instance, version, kind: 'device', layout, sectionId: 0, loadVersion: 0 };
  });
  const early = devices.filter(({ idstr }) => idstr === 'timer' || idstr === 'COLOState');
  const live = [entry('ram', 'ram', ramSectionVersion), entry('dirty-bitmap', 'dirty-bitmap', 1)];
  if (rules.blockSection) live.unshift(entry('block', 'block', 1));
  return [...early, ...live, ...devices.filter((device) => !early.includes(device))];
}
