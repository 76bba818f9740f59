/** Figures that several benchmarks need. */
import { readFileSync } from 'node:fs';

/** Middle of the values, or of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return ((sorted[half] as number) + (sorted[sorted.length - 1 - half] as number)) / 2;
}

/** Milliseconds of one tick of the figures in /proc: Linux shows 100 a second, whatever it counts by. */
export const tick = 10;

/** The numbers of /proc/PID/stat behind the name, the state first, which is none; `undefined` where there is no such file. */
export function statOf(pid: number | string | undefined): readonly number[] | undefined {
  try {
    // The name in the second field may hold blanks and brackets.
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '');
    return text.split(' ').map(Number);
  } catch {
    return undefined;
  }
}

/** Processor time of all threads of a process so far, in milliseconds; `undefined` where the system does not tell. */
export function processorTime(pid: number | undefined): number | undefined {
  const [user, system] = statOf(pid)?.slice(11, 13) ?? [];
  return user === undefined || system === undefined ? undefined : (user + system) * tick;
}
