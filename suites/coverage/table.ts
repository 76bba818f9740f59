/** The committed record of which requirement exercises which entity, and the matrix made of it. */
import { createRequire } from 'node:module';
import { loadSchema } from '../../reference/schema/index.js';
import { baselineFile, type Entity, entitiesOf } from './entities.js';
import { holes } from './holes.js';
import type { Recording } from './record.js';

/** Requirement id → numbers of rows, as `0-3 7`: short enough to be read in a diff. */
interface CoverageFile {
  readonly entities: readonly Entity[];
  readonly requirements: Readonly<Record<string, string>>;
}

export interface MatrixRow {
  readonly entity: Entity;
  /** Requirements that exercise it. */
  readonly requirements: readonly string[];
  /** Why no requirement does; only where none does. */
  readonly reason?: string;
}

export function encodeCoverage(recordings: readonly Recording[]): string {
  const entities = entitiesOf(loadSchema('3.0'), baselineFile);
  const numbers = new Map(entities.map((entity, i) => [entity, i]));
  const requirements = Object.fromEntries(
    recordings
      .filter((one) => one.entities.length > 0)
      .map((one) => [one.id, ranges(one.entities.map((entity) => numbers.get(entity) as number))]),
  );
  return `${JSON.stringify({ entities, requirements } satisfies CoverageFile, null, 2)}\n`;
}

/** The row of every entity of the baseline, in the order of its definitions. */
export function matrix(): MatrixRow[] {
  const file = createRequire(import.meta.url)('./coverage.json') as CoverageFile;
  const by = file.entities.map((): string[] => []);
  for (const [id, text] of Object.entries(file.requirements)) {
    for (const number of numbersOf(text)) by[number]?.push(id);
  }
  const known = new Map(file.entities.map((entity, i) => [entity, by[i] ?? []]));
  return entitiesOf(loadSchema('3.0'), baselineFile).map((entity) => {
    const requirements = known.get(entity) ?? [];
    const reason = holes[entity];
    return { entity, requirements, ...(requirements.length > 0 || reason === undefined ? {} : { reason }) };
  });
}

/** Entities that a requirement exercises, as recorded. */
export function recorded(id: string): Entity[] {
  return matrix().flatMap(({ entity, requirements }) => (requirements.includes(id) ? [entity] : []));
}

function ranges(numbers: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const number of numbers) {
    const last = parts.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(' ');
}

function numbersOf(text: string): number[] {
  return text.split(' ').flatMap((part) => {
    const [from = 0, to = from] = part.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}
