import { type DescribedDevice, type DescribedField, type DescribedStruct, fieldSize } from './vmdescription.js';

/** A field's value: a number where it is exact, a decimal string beyond 2^53, hex for bytes, a list for arrays. */
export type FieldValue = number | string | boolean | FieldValue[] | NamedValue[];

export interface NamedValue {
  readonly name: string;
  readonly type: string;
  readonly value: FieldValue;
}

/** The values in a device's body, as its description explains them (stream-format.md §6.2). */
export function deviceValues(device: DescribedDevice, body: Buffer): NamedValue[] {
  return structValues(device, body);
}

function structValues(described: DescribedStruct, body: Buffer): NamedValue[] {
  const out: NamedValue[] = [];
  let at = 0;
  for (const field of described.fields ?? []) {
    const size = fieldSize(field);
    const value = arrayValue(field, body.subarray(at, at + size));
    out.push({
      name: field.index === undefined ? field.name : `${field.name}[${field.index}]`,
      type: field.type,
      value,
    });
    at += size;
  }
  for (const subsection of described.subsections ?? []) {
    const name = subsection.vmsd_name ?? '';
    at += 2 + name.length + 4;
    const inner = structValues(subsection, body.subarray(at));
    out.push({ name, type: 'subsection', value: inner });
    at += sizeOf(subsection);
  }
  return out;
}

function sizeOf(described: DescribedStruct): number {
  const fields = (described.fields ?? []).reduce((sum, field) => sum + fieldSize(field), 0);
  return (described.subsections ?? []).reduce(
    (sum, subsection) => sum + 6 + (subsection.vmsd_name ?? '').length + sizeOf(subsection),
    fields,
  );
}

function arrayValue(field: DescribedField, bytes: Buffer): FieldValue {
  if (field.array_len === undefined || field.type === 'buffer') return oneValue(field, bytes);
  return Array.from({ length: field.array_len }, (_, i) =>
    oneValue(field, bytes.subarray(i * field.size, (i + 1) * field.size)),
  ) as FieldValue[];
}

function oneValue(field: DescribedField, bytes: Buffer): FieldValue {
  if (field.struct !== undefined) return structValues(field.struct, bytes);
  const type = field.type.replace(/ (equal|le)$/, '');
  if (type === 'bool' && bytes.length === 1) return bytes[0] !== 0;
  const signed = /^int\d+$/.test(type);
  if (!signed && !/^uint\d+$|^timer$/.test(type)) return bytes.toString('hex');
  switch (bytes.length) {
    case 1:
    case 2:
    case 4:
      return signed ? bytes.readIntBE(0, bytes.length) : bytes.readUIntBE(0, bytes.length);
    case 8: {
      const value = signed ? bytes.readBigInt64BE() : bytes.readBigUInt64BE();
      return BigInt(Number(value)) === value && Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
    }
    default:
      return bytes.toString('hex');
  }
}
