import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { theReaper } from '../targets/reaper.js';
import type { Cell } from './cells.js';
import { migrate } from './migrate.js';
import type { Parties, PartyName } from './parties.js';
import { writeRamImage } from './ram-image.js';

export type Outcome =
  | { readonly kind: 'equal'; readonly ms: number }
  | { readonly kind: 'failed'; readonly why: string }
  | { readonly kind: 'impossible'; readonly why: string }
  | { readonly kind: 'absent'; readonly why: string };

export interface Result {
  readonly cell: Cell;
  readonly outcome: Outcome;
}

/** Runs cells, some at a time, and tells of each when it is done; the results come in the order of the cells. */
export async function runCells(
  cells: readonly Cell[],
  parties: Parties,
  jobs: number,
  onResult: (result: Result) => void = () => undefined,
): Promise<Result[]> {
  const folder = theReaper().folder();
  mkdirSync(folder, { recursive: true });
  const image = join(folder, 'ram.img');
  writeRamImage(image);
  const results = new Map<Cell, Result>();
  const queue = [...cells];
  const work = async () => {
    for (let cell = queue.shift(); cell !== undefined; cell = queue.shift()) {
      const result = { cell, outcome: await outcomeOf(cell, parties, () => ({ parties, image, folder })) };
      results.set(cell, result);
      onResult(result);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return cells.flatMap((cell) => results.get(cell) ?? []);
}

async function outcomeOf(
  cell: Cell,
  parties: Parties,
  surroundings: () => Parameters<typeof migrate>[1],
): Promise<Outcome> {
  if (cell.impossible !== undefined) return { kind: 'impossible', why: cell.impossible };
  const absent = (name: PartyName) => {
    const why = parties.absent(name);
    return why === undefined ? undefined : `no ${name}: ${why}`;
  };
  const why = absent(cell.source) ?? absent(cell.destination);
  if (why !== undefined) return { kind: 'absent', why };
  const began = performance.now();
  try {
    await migrate(cell, surroundings());
    return { kind: 'equal', ms: performance.now() - began };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    // A destination says so where its host does not let it serve page faults (MIG-CMD-SCAP-07).
    if (why.includes('Postcopy is not supported')) {
      return { kind: 'absent', why: `no userfaultfd for ${cell.destination} on its host` };
    }
    return { kind: 'failed', why };
  }
}
