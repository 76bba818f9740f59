/** Which requirements have killed which fault before: kept to try these first, never to leave one out. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** By fault, the requirements that it fails; the one that showed it fastest first. */
export type Kills = Readonly<Record<string, readonly string[]>>;

/** Requirements kept of a fault. */
const most = 5;

const besideSource = (name: string): string =>
  fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? name : `../../selftest/${name}`, import.meta.url));
const file = besideSource('kills.json');

export const recall = (): Kills => JSON.parse(readFileSync(file, 'utf8')) as Kills;

/** Adds what was seen; a fault keeps what it had, behind the new. */
export function remember(seen: Kills, known: ReadonlySet<string>): void {
  const before = recall();
  const names = [...new Set([...Object.keys(before), ...Object.keys(seen)])].filter((name) => known.has(name)).sort();
  const merged = names.map((name) => [name, [...new Set([...(seen[name] ?? []), ...(before[name] ?? [])])]] as const);
  const lines = merged.map(
    ([name, ids]) => `  ${JSON.stringify(name)}: ${JSON.stringify(ids.slice(0, most)).replaceAll('","', '", "')}`,
  );
  // In one step: others read it at the same time.
  writeFileSync(`${file}.new`, `{\n${lines.join(',\n')}\n}\n`);
  renameSync(`${file}.new`, file);
}
