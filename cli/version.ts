/** Name and version of this program. */
import { existsSync, readFileSync } from 'node:fs';

/** From package.json, which stands above this folder in the source tree and one further up in the compiled one. */
export function version(): string {
  const places = ['../package.json', '../../package.json'].map((place) => new URL(place, import.meta.url));
  const found = places.find((place) => existsSync(place));
  if (found === undefined) return 'unknown';
  return (JSON.parse(readFileSync(found, 'utf8')) as { version: string }).version;
}

export const toolName = (): string => `qmpspec ${version()}`;
