/** Which requirements run, in which order, and how many side by side. */
import { closest } from 'fastest-levenshtein';
import picomatch from 'picomatch';
import type { Chapter, Requirement } from './requirement.js';

export interface Planned {
  readonly requirement: Requirement;
  readonly chapter: readonly string[];
}

/** A selector that matches nothing. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError';
}

/**
 * Selects by id, chapter title or tag; `*` and `?` are wildcards, case does not matter, `QMP-ARG-06` selects
 * `QMP-ARG-06.boolean` too, and commas stand between several (titles may have one of their own). Every selector must match
 * something.
 * @throws SelectorError with the nearest id
 */
export function select(chapters: readonly Chapter[], only: readonly string[], skip: readonly string[] = []): Planned[] {
  const all = chapters.flatMap((chapter) =>
    chapter.requirements.map((requirement) => ({ requirement, chapter: chapter.title })),
  );
  const chosen = (selector: string): Planned[] => {
    if (selector.trim() === '')
      throw new SelectorError("a selector is empty; 'qmpspec list' shows what can be selected");
    const matches = matcher(selector);
    const found = all.filter(matches);
    const several = selector.split(BETWEEN_SELECTORS);
    if (found.length === 0 && several.length > 1) return several.flatMap(chosen);
    if (found.length === 0) {
      const near = closest(selector.toUpperCase(), [...new Set(all.map(({ requirement }) => requirement.id))]);
      throw new SelectorError(
        `'${selector}' matches no requirement; did you mean '${near}'? 'qmpspec list' shows them all`,
      );
    }
    return found;
  };
  const wanted = only.length === 0 ? new Set(all) : new Set(only.flatMap(chosen));
  for (const selector of skip) for (const one of chosen(selector)) wanted.delete(one);
  return all.filter((one) => wanted.has(one));
}

/** A comma that is not one of a `{A,B}`. */
const BETWEEN_SELECTORS = /\s*,\s*(?![^{]*\})/;

function matcher(selector: string): (planned: Planned) => boolean {
  const options = { nocase: true, bash: true };
  const exact = picomatch(selector, options);
  const below = picomatch(`${selector}.*`, options);
  return ({ requirement, chapter }) =>
    exact(requirement.id) ||
    below(requirement.id) ||
    (requirement.tags ?? []).some((tag) => exact(tag)) ||
    chapter.some((title) => exact(title));
}

/**
 * One of `count` parts of a selection, from 1: every requirement is in exactly one of them. Neighbours go to different parts,
 * so that these take about equally long.
 */
export const shardOf = (planned: readonly Planned[], index: number, count: number): Planned[] =>
  planned.filter((_, i) => i % count === index - 1);

/** Shuffles chapters and the requirements in them; the same seed gives the same order. Seed 0 is the order of the spec. */
export function order(planned: readonly Planned[], seed: number): Planned[] {
  if (seed === 0) return [...planned];
  const random = mulberry(seed);
  const groups = new Map<string, Planned[]>();
  for (const one of planned) {
    const key = one.chapter.join('\n');
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return shuffle([...groups.values()], random).flatMap((group) => shuffle(group, random));
}

function shuffle<T>(list: readonly T[], random: () => number): T[] {
  const result = [...list];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j] as T, result[i] as T];
  }
  return result;
}

/** A small generator with 32 bits of state: enough to shuffle, the same on every machine. */
function mulberry(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Runs `work` on the items in order, at most `jobs` at once, and returns a promise for each at once. They begin when a place
 * is free, not when they are awaited.
 * @param lasting what waits long: with more than one job it begins early, so that nothing waits for it in the end
 */
export function sideBySide<T, R>(
  items: readonly T[],
  jobs: number,
  work: (item: T) => Promise<R>,
  lasting: (item: T) => boolean = () => false,
): Promise<R>[] {
  const settlers: { resolve: (value: R) => void; reject: (error: unknown) => void }[] = [];
  const promises = items.map(() => new Promise<R>((resolve, reject) => settlers.push({ resolve, reject })));
  // Who awaits them in order may come to a rejected one late; until then it is not an unhandled one.
  for (const promise of promises) promise.catch(() => undefined);
  const indices = [...items.keys()];
  const waits = jobs > 1 ? indices.filter((i) => lasting(items[i] as T)) : [];
  const begins = earlyAmong(
    waits,
    indices.filter((i) => !waits.includes(i)),
  );
  let next = 0;
  const lane = async () => {
    while (next < begins.length) {
      const i = begins[next++] as number;
      await (async () => work(items[i] as T))().then(settlers[i]?.resolve, settlers[i]?.reject);
    }
  };
  for (let i = 0; i < Math.max(1, jobs); i++) void lane();
  return promises;
}

/** All of `early` in the first half of `others`, at even distances: at the same time they would leave the processors idle. */
function earlyAmong(early: readonly number[], others: readonly number[]): number[] {
  const distance = Math.max(1, Math.floor(others.length / 2 / Math.max(1, early.length)));
  return [
    ...others.flatMap((one, i) => (i % distance === 0 ? [...early.slice(i / distance, i / distance + 1), one] : [one])),
    ...early.slice(Math.ceil(others.length / distance)),
  ];
}
