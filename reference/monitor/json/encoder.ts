import { formatDouble } from './double.js';
import { decodeText, isNoncharacter } from './text.js';

export interface EncoderOptions {
  readonly doubles: '%f' | '%.17g';
  /** Several lines, four spaces a level (QMP-TRANS-12). */
  readonly pretty: boolean;
}

/** A value whose strings stand for bytes, one character each, such as an echoed `id`. */
export class ByteValue {
  constructor(readonly value: unknown) {}
}

const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

const escapeUnit = (unit: number) => `\\u${unit.toString(16).toUpperCase().padStart(4, '0')}`;

/** One character: a code point, or a lone surrogate, which is replaced as noncharacters are. */
function escapeCharacter(character: string): string {
  const short = shortEscapes[character];
  if (short !== undefined) return short;
  const codePoint = character.codePointAt(0)!;
  if ((codePoint >= 0xd800 && codePoint <= 0xdfff) || isNoncharacter(codePoint)) return '\\uFFFD';
  return codePoint > 0xffff
    ? escapeUnit(character.charCodeAt(0)) + escapeUnit(character.charCodeAt(1))
    : escapeUnit(codePoint);
}

const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** A string as pure ASCII between double quotes (QMP-OUT-01, QMP-OUT-02). */
function encodeString(text: string): string {
  return plain.test(text) ? `"${text}"` : `"${text.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/gu, escapeCharacter)}"`;
}

/** One message, with the line end (QMP-TRANS-05). Accepts plain objects, Maps and {@link ByteValue}s alike. */
export function encodeMessage(message: unknown, options: EncoderOptions): string {
  return `${new Encoder(options).value(message, 0, false)}\r\n`;
}

class Encoder {
  constructor(private readonly options: EncoderOptions) {}

  value(value: unknown, depth: number, bytes: boolean): string {
    switch (typeof value) {
      case 'string':
        return encodeString(bytes ? decodeText(value) : value);
      case 'bigint':
        return value.toString();
      case 'number':
        return Number.isSafeInteger(value) && !Object.is(value, -0)
          ? value.toString()
          : formatDouble(value, this.options.doubles);
      case 'boolean':
        return value ? 'true' : 'false';
      case 'object':
        if (value === null) return 'null';
        if (value instanceof ByteValue) return this.value(value.value, depth, true);
        if (Array.isArray(value)) return this.#array(value, depth, bytes);
        return value instanceof Map
          ? this.#entries(value, depth, bytes)
          : this.#object(value as Readonly<Record<string, unknown>>, depth, bytes);
      default:
        throw new TypeError(`a ${typeof value} cannot be sent as JSON`);
    }
  }

  #array(items: readonly unknown[], depth: number, bytes: boolean): string {
    let parts = '';
    for (const item of items) parts += this.#before(parts, depth) + this.value(item, depth + 1, bytes);
    return `[${parts}${this.#last(depth)}]`;
  }

  #object(members: Readonly<Record<string, unknown>>, depth: number, bytes: boolean): string {
    let parts = '';
    for (const name of Object.keys(members)) parts += this.#member(parts, name, members[name], depth, bytes);
    return `{${parts}${this.#last(depth)}}`;
  }

  #entries(members: ReadonlyMap<string, unknown>, depth: number, bytes: boolean): string {
    let parts = '';
    for (const [name, member] of members) parts += this.#member(parts, name, member, depth, bytes);
    return `{${parts}${this.#last(depth)}}`;
  }

  /** Members whose value is undefined are left out. */
  #member(parts: string, name: string, member: unknown, depth: number, bytes: boolean): string {
    if (member === undefined) return '';
    const value = this.value(member, depth + 1, bytes);
    return `${this.#before(parts, depth)}${encodeString(bytes ? decodeText(name) : name)}: ${value}`;
  }

  /** What stands before the next part. */
  #before(parts: string, depth: number): string {
    if (!this.options.pretty) return parts === '' ? '' : ', ';
    return `${parts === '' ? '' : ','}\r\n${'    '.repeat(depth + 1)}`;
  }

  /** What stands before the closing bracket. */
  #last(depth: number): string {
    return this.options.pretty ? `\r\n${'    '.repeat(depth)}` : '';
  }
}
