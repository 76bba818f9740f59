/** Between strings of bytes (one character a byte) and text, as the output encoder sees it (qmp-protocol.md §6). */
import type { JsonValue } from './value.js';

const replacement = '\ufffd';
// Smallest code point that needs 2, 3, 4, 5, 6 bytes.
const minimum = [0, 0, 0x80, 0x800, 0x10000, 0x200000, 0x4000000];

/** Length that a lead byte announces; 0 for a stray continuation byte and for bytes that are no lead. */
function announcedLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xc0) return 0;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) return 3;
  if (lead < 0xf8) return 4;
  if (lead < 0xfc) return 5;
  return lead < 0xfe ? 6 : 0;
}

/** U+FDD0..FDEF and the last two of every plane. */
export function isNoncharacter(codePoint: number): boolean {
  return (codePoint >= 0xfdd0 && codePoint <= 0xfdef) || (codePoint & 0xfffe) === 0xfffe;
}

/**
 * Decodes one sequence of modified UTF-8 (`C0 80` is U+0000) at `at`.
 * `codePoint` is -1 for an ill-formed one, which still spans its lead byte and the continuation bytes behind it.
 */
export function decodeSequence(bytes: string, at: number): { readonly codePoint: number; readonly length: number } {
  const lead = bytes.charCodeAt(at);
  const announced = announcedLength(lead);
  if (announced === 1) return { codePoint: lead, length: 1 };
  if (announced === 0) return { codePoint: -1, length: 1 };
  let codePoint = lead & (0x7f >> announced);
  let length = 1;
  while (length < announced) {
    const byte = bytes.charCodeAt(at + length);
    if ((byte & 0xc0) !== 0x80) return { codePoint: -1, length };
    codePoint = codePoint * 64 + (byte & 0x3f);
    length++;
  }
  const overlong = codePoint < minimum[announced]! && !(announced === 2 && codePoint === 0);
  const surrogate = codePoint >= 0xd800 && codePoint <= 0xdfff;
  const bad = overlong || surrogate || codePoint > 0x10ffff || isNoncharacter(codePoint);
  return { codePoint: bad ? -1 : codePoint, length };
}

/** Text of a byte string; what is ill-formed becomes U+FFFD (QMP-OUT-03). */
export function decodeText(bytes: string): string {
  if (!/[\x80-\xff]/.test(bytes)) return bytes;
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const { codePoint, length } = decodeSequence(bytes, at);
    text += codePoint < 0 ? replacement : String.fromCodePoint(codePoint);
    at += length;
  }
  return text;
}

/** Byte string of one code point, surrogates included: each half of a pair gives three ill-formed bytes (QMP-STR-02). */
export function encodeCodePoint(codePoint: number): string {
  if (codePoint < 0x80) return String.fromCharCode(codePoint);
  const tail = (shift: number) => 0x80 | ((codePoint >> shift) & 0x3f);
  if (codePoint < 0x800) return String.fromCharCode(0xc0 | (codePoint >> 6), tail(0));
  if (codePoint < 0x10000) return String.fromCharCode(0xe0 | (codePoint >> 12), tail(6), tail(0));
  return String.fromCharCode(0xf0 | (codePoint >> 18), tail(12), tail(6), tail(0));
}

/** The value with every string and member name as text. */
export function decodeValue(value: JsonValue): JsonValue {
  if (typeof value === 'string') return decodeText(value);
  if (Array.isArray(value)) return value.map(decodeValue);
  if (value instanceof Map) return new Map([...value].map(([name, member]) => [decodeText(name), decodeValue(member)]));
  return value;
}
