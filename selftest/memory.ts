/** What has been seen before: kept to try that first, never to leave anything out. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** By fault, the requirements that it fails; the one that showed it fastest first. */
export type Kills = Readonly<Record<string, readonly string[]>>;
/** By requirement, what it fails on: a fault, and behind a blank how it has to be planted (see requirements.ts). */
export type Proofs = Readonly<Record<string, string>>;

/** Requirements kept of a fault. */
const most = 5;

const besideSource = (name: string): string =>
  fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? name : `../../selftest/${name}`, import.meta.url));
const [killsFile, proofsFile] = [besideSource('kills.json'), besideSource('proofs.json')];

const read = <T>(file: string): T => JSON.parse(existsSync(file) ? readFileSync(file, 'utf8') : '{}') as T;
export const recall = (): Kills => read(killsFile);
export const recallProofs = (): Proofs => read(proofsFile);

/** In one step: others read it at the same time. */
function write(file: string, members: readonly (readonly [string, string | readonly string[]])[]): void {
  const lines = members.map(
    ([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value).replaceAll('","', '", "')}`,
  );
  writeFileSync(`${file}.new`, `{\n${lines.join(',\n')}\n}\n`);
  renameSync(`${file}.new`, file);
}

const names = (...all: readonly object[]): string[] => [...new Set(all.flatMap((one) => Object.keys(one)))].sort();

/** Adds what was seen; a fault keeps what it had, behind the new. */
export function remember(seen: Kills, known: ReadonlySet<string>): void {
  const before = recall();
  const kept = names(before, seen).filter((name) => known.has(name));
  write(
    killsFile,
    kept.map((name) => [name, [...new Set([...(seen[name] ?? []), ...(before[name] ?? [])])].slice(0, most)]),
  );
}

/** Adds what was seen; requirements that are no more are forgotten. */
export function rememberProofs(seen: Proofs, known: ReadonlySet<string>): void {
  const all = { ...recallProofs(), ...seen };
  write(
    proofsFile,
    names(all)
      .filter((id) => known.has(id))
      .map((id) => [id, all[id] as string]),
  );
}
