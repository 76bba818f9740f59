/** What stands in a scenario for the places that it gets when it runs: `{channel NAME}` and `{image MIB}`. */
import { mentions } from '../protocol/json.js';

export interface Places {
  /** Path of the socket of a channel. */
  readonly channel: (name: string) => string;
  /** Path of an image of so many MiB. */
  readonly image: (mib: number) => string;
}

/** The same with paths in their place. */
export function withPlaces<T>(value: T, { channel, image }: Places): T {
  if (!mentions(value, '{channel ') && !mentions(value, '{image ')) return value;
  const change = (text: string) =>
    text
      .replace(/\{channel ([^}]*)\}/g, (_, name: string) => channel(name))
      .replace(/\{image (\d+)\}/g, (_, mib: string) => image(Number(mib)));
  return walk(value, change) as T;
}

function walk(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((one) => walk(one, change));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, walk(one, change)]));
  }
  return value;
}
