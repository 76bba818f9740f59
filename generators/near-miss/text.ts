/** JSON text of values that are almost right: spellings and doubled members that no JSON writer writes. */
import { type JsonValue, stringifyJson } from '../../protocol/json.js';

/** Text that stands where a value would. */
export class Spelled {
  constructor(readonly text: string) {}
}

/** An object whose members may occur twice. */
export class Members {
  constructor(readonly entries: readonly (readonly [name: string, value: AlmostJson])[]) {}
}

export type AlmostJson = JsonValue | Spelled | Members | readonly AlmostJson[];

/** Compact text. */
export function almostText(value: AlmostJson): string {
  if (value instanceof Spelled) return value.text;
  if (value instanceof Members) {
    return `{${value.entries.map(([name, one]) => `${JSON.stringify(name)}:${almostText(one)}`).join(',')}}`;
  }
  if (Array.isArray(value)) return `[${value.map(almostText).join(',')}]`;
  return stringifyJson(value);
}
