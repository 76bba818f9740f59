/**
 * Cases that showed something new, as tapes and as the scenarios that they stood for. It grows while a campaign finds novelty,
 * and is minimised to a set that reaches the same with fewer cases.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'lossless-json';
import { parseJson } from '../protocol/json.js';
import { type Scenario, scenarioVersion } from '../targets/scenario.js';
import type { CoverageKey } from './coverage.js';
import { expectFolder, StorageError, writeWhole } from './folder.js';

export const corpusVersion = 1;

export interface CorpusEntry {
  readonly corpus: typeof corpusVersion;
  readonly source: string;
  readonly tape: readonly number[];
  /** All that it reached. */
  readonly keys: readonly CoverageKey[];
  readonly scenario: Scenario;
}

/** An entry with how it has served as a parent. */
export interface Parent {
  readonly name: string;
  readonly entry: CorpusEntry;
  picked: number;
  fruitful: number;
}

export class Corpus {
  readonly parents: Parent[] = [];
  /** Files of the folder that are no entries, and why. */
  readonly unreadable: string[] = [];

  /** @param folder where it is kept; in memory only when absent. @throws StorageError when that is a file */
  constructor(private readonly folder?: string) {
    if (folder === undefined || !existsSync(folder)) return;
    try {
      expectFolder(folder);
    } catch (error) {
      throw new StorageError(folder, '', error);
    }
    for (const file of readdirSync(folder).sort()) {
      if (!file.endsWith('.json') || file.startsWith('.')) continue;
      try {
        this.parents.push({ name: file.slice(0, -5), entry: readEntry(join(folder, file)), picked: 0, fruitful: 0 });
      } catch (error) {
        this.unreadable.push(`${join(folder, file)}: ${(error as Error).message}`);
      }
    }
  }

  get size(): number {
    return this.parents.length;
  }

  /** @throws StorageError */
  add(entry: CorpusEntry): void {
    const name = createHash('sha256')
      .update(`${entry.source} ${entry.tape.join(' ')}`)
      .digest('hex')
      .slice(0, 12);
    if (this.parents.some((parent) => parent.name === name)) return;
    this.parents.push({ name, entry, picked: 0, fruitful: 0 });
    if (this.folder === undefined) return;
    writeWhole(join(this.folder, `${name}.json`), `${stringify(entry)}\n`);
  }

  /** Leaves the fewest entries that reach all that the whole does, or nearly the fewest: the richest first. */
  minimise(): number {
    const missing = new Set(this.parents.flatMap(({ entry }) => entry.keys));
    const rest = [...this.parents];
    const kept: Parent[] = [];
    while (missing.size > 0 && rest.length > 0) {
      let best = 0;
      let gain = -1;
      for (const [i, { entry }] of rest.entries()) {
        const own = entry.keys.reduce((count, one) => count + (missing.has(one) ? 1 : 0), 0);
        if (
          own > gain ||
          (own === gain && entry.scenario.steps.length < (rest[best] as Parent).entry.scenario.steps.length)
        ) {
          [best, gain] = [i, own];
        }
      }
      if (gain <= 0) break;
      const [chosen] = rest.splice(best, 1) as [Parent];
      kept.push(chosen);
      for (const one of chosen.entry.keys) missing.delete(one);
    }
    const dropped = this.parents.filter((parent) => !kept.includes(parent));
    for (const { name } of dropped) {
      if (this.folder !== undefined) rmSync(join(this.folder, `${name}.json`), { force: true });
    }
    this.parents.splice(0, this.parents.length, ...kept);
    return dropped.length;
  }
}

function readEntry(path: string): CorpusEntry {
  const entry = parseJson(readFileSync(path, 'utf8')) as unknown as Partial<CorpusEntry>;
  if (entry.corpus !== corpusVersion) throw new Error(`it is no corpus entry of format ${corpusVersion}`);
  const numbers = Array.isArray(entry.tape) && entry.tape.every((one) => typeof one === 'number');
  if (!numbers || entry.scenario?.scenario !== scenarioVersion || !Array.isArray(entry.scenario.steps)) {
    throw new Error('it lacks a tape or a scenario');
  }
  return { ...(entry as CorpusEntry), keys: entry.keys ?? [] };
}
