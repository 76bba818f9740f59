/** Watches a process that serves many scenarios for descriptors and memory that it does not give back. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Instance } from '../targets/target.js';
import type { Symptom } from './symptom.js';

export interface Footprint {
  readonly descriptors: number;
  /** Resident memory in KiB. */
  readonly resident: number;
}

/** `undefined` where there is no telling: no process of ours, or no /proc. */
function footprintOf({ pid, exit }: Instance): Footprint | undefined {
  if (pid === undefined || exit !== undefined) return undefined;
  try {
    const descriptors = readdirSync(`/proc/${pid}/fd`).length;
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]);
    return { descriptors, resident: pages * 4 };
  } catch {
    return undefined;
  }
}

/** Looks before this many are ignored: caches and threads are still being made. */
const warmUp = 6;
/** Looks over which a growth must hold, and so many of them must show it. */
const span = 20;
/** Growth below these is none: descriptors, KiB. */
const least = { descriptors: 10, resident: 48 * 1024 };

export class LeakWatch {
  private readonly looks: Footprint[] = [];
  private told = false;

  /** To be called when the process is at rest. */
  look(instance: Instance): Symptom[] {
    const footprint = footprintOf(instance);
    if (footprint === undefined) return [];
    return this.take(footprint);
  }

  /** Judges one more footprint. */
  take(footprint: Footprint): Symptom[] {
    this.looks.push(footprint);
    const settled = this.looks.slice(warmUp);
    if (this.told || settled.length < span) return [];
    for (const what of ['descriptors', 'resident'] as const) {
      const values = settled.slice(-span).map((look) => look[what]);
      const growth = (values.at(-1) as number) - (values[0] as number);
      if (growth < least[what] || !steady(values)) continue;
      this.told = true;
      const unit = what === 'descriptors' ? 'file descriptors' : 'KiB of memory';
      return [
        {
          kind: 'leak',
          subject: `${unit} are not given back`,
          rows: [],
          state: '',
          expected: [`as many ${unit} after each scenario as before it`],
          got: `${values[0]}, then ${values.at(-1)} after ${span - 1} more scenarios`,
        },
      ];
    }
    return [];
  }
}

/** It grows in most stretches and falls in none: a leak, and no cache that fills once. */
function steady(values: readonly number[]): boolean {
  const parts = 4;
  const length = Math.floor(values.length / parts);
  const marks = Array.from({ length: parts }, (_, i) => values[i * length] as number).concat(values.at(-1) as number);
  return marks.slice(1).every((value, i) => value > (marks[i] as number));
}
