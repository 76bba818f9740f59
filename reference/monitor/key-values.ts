import { UsageError } from './usage-error.js';

/** `first,key=value,flag,noflag` as QEMU reads it: `,,` is a comma, a bare word is `on`, `noword` is `off`. */
export interface KeyValues {
  /** What stands before the first comma, if that is no `key=value`. */
  readonly first: string | undefined;
  readonly values: ReadonlyMap<string, string>;
}

export function parseKeyValues(text: string, hasFirst: boolean): KeyValues {
  const items = text.replaceAll(',,', '\0').split(',');
  const parts = items.map((item) => item.replaceAll('\0', ','));
  const takesFirst = hasFirst && !/^[a-z-]+=/.test(parts[0] ?? '');
  const values = new Map<string, string>();
  for (const part of takesFirst ? parts.slice(1) : parts) {
    const equals = part.indexOf('=');
    if (equals >= 0) values.set(part.slice(0, equals), part.slice(equals + 1));
    else if (/^no(wait|server|delay)$/.test(part)) values.set(part.slice(2), 'off');
    else if (part !== '') values.set(part, 'on');
  }
  return { first: takesFirst ? parts[0] : undefined, values };
}

/** Reads and forgets keys, so that what nobody asked for can be named. */
export class KeyReader {
  readonly #left: Map<string, string>;

  constructor(
    values: ReadonlyMap<string, string>,
    /** The option as it was given, for messages. */
    private readonly option: string,
  ) {
    this.#left = new Map(values);
  }

  text(key: string): string | undefined {
    const value = this.#left.get(key);
    this.#left.delete(key);
    return value;
  }

  flag(key: string, otherwise: boolean): boolean {
    const value = this.text(key);
    if (value === undefined) return otherwise;
    if (/^(on|yes|true)$/.test(value)) return true;
    if (/^(off|no|false)$/.test(value)) return false;
    throw new UsageError(`${this.option}: Parameter '${key}' expects 'on' or 'off'`);
  }

  /** A duration or count, at least 0. */
  number(key: string, otherwise: number): number {
    const value = this.text(key);
    if (value === undefined) return otherwise;
    if (!/^\d{1,9}$/.test(value)) throw new UsageError(`${this.option}: Parameter '${key}' expects a number`);
    return Number(value);
  }

  /** @throws UsageError if a key is left that nobody knows. */
  end(): void {
    for (const key of this.#left.keys()) throw new UsageError(`${this.option}: Invalid parameter '${key}'`);
  }
}
