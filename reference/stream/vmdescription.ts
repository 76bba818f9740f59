/** The vmdescription: JSON that explains the bodies of a stream's FULL sections (stream-format.md §6.2). */

/** One FULL section with the size that its description adds up to. */
export interface DescribedSection {
  readonly name: string;
  readonly instance: number;
  /** Bytes of the body, subsections included. */
  readonly size: number;
  readonly device: DescribedDevice;
}

export interface DescribedField {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly array_len?: number;
  readonly index?: number;
  readonly struct?: DescribedStruct;
}

export interface DescribedStruct {
  readonly vmsd_name?: string;
  readonly version?: number;
  readonly fields?: readonly DescribedField[];
  readonly subsections?: readonly DescribedStruct[];
}

export interface DescribedDevice extends DescribedStruct {
  readonly name: string;
  readonly instance_id: number;
  readonly size?: number;
}

export interface Vmdescription {
  readonly page_size?: number;
  readonly devices: readonly DescribedDevice[];
}

/** Parses the text. @throws SyntaxError or TypeError for text that describes no devices */
export function parseVmdescription(text: string): Vmdescription {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || !('devices' in value) || !Array.isArray(value.devices)) {
    throw new TypeError('the vmdescription has no list of devices');
  }
  return value as Vmdescription;
}

/**
 * Finds the vmdescription at the end of a recorded stream: the last `06` whose length field reaches exactly to the end
 * and is followed by `{`.
 * @param tail the end of the file; must hold the whole description
 * @returns its text, or undefined
 */
export function findVmdescription(tail: Buffer): string | undefined {
  for (let at = tail.lastIndexOf(6); at >= 0; at = at === 0 ? -1 : tail.lastIndexOf(6, at - 1)) {
    const left = tail.length - at - 5;
    if (left >= 1 && tail[at + 5] === 0x7b && tail.readUInt32BE(at + 1) === left)
      return tail.toString('latin1', at + 5);
  }
  return undefined;
}

/** The described sections in stream order. */
export function describedSections(description: Vmdescription): DescribedSection[] {
  return description.devices.map((device) => {
    const size = device.vmsd_name === undefined && device.size !== undefined ? device.size : structSize(device);
    return { name: device.name, instance: device.instance_id, size, device };
  });
}

/** Bytes of one field, all elements of an array together. */
export function fieldSize(field: DescribedField): number {
  return field.size * (field.array_len ?? 1);
}

function structSize(described: DescribedStruct): number {
  let size = 0;
  for (const field of described.fields ?? []) size += fieldSize(field);
  for (const subsection of described.subsections ?? []) size += subsectionSize(subsection);
  return size;
}

/** Bytes of a subsection with its header. */
function subsectionSize(subsection: DescribedStruct): number {
  return 1 + 1 + (subsection.vmsd_name ?? '').length + 4 + structSize(subsection);
}
