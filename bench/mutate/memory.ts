import { readFileSync } from 'node:fs';

/** Bytes that a monitor may take beyond its guest. */
export const allowance = 64 * 2 ** 20;

/** Resident memory of a process at its highest, in bytes; undefined where the host does not tell. */
export function peakOf(pid: number): number | undefined {
  try {
    const [, kib] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}
