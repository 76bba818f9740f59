/** Throughput of whole migrations: between two QEMUs as the yardstick, and with the reference at either end. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { theReaper } from '../../targets/reaper.js';
import type { Target } from '../../targets/target.js';
import { digestOf, type MigrationTime, migrateOnce } from './migration.js';
import { writeRamImage } from './ram-image.js';

export interface ThroughputOptions {
  readonly qemu: Target;
  readonly reference: Target;
  /** RAM in MiB, all of it non-zero. */
  readonly memory: number;
  /** Timed migrations of each pair; the fastest counts. */
  readonly rounds: number;
}

/** Lowest ratio to QEMU → QEMU that is good enough. */
const floor = 0.8;

/** @returns false when a ratio is below the floor */
export async function throughput(options: ThroughputOptions): Promise<boolean> {
  const { qemu, reference, memory, rounds } = options;
  const folder = theReaper().folder();
  mkdirSync(folder, { recursive: true });
  const image = join(folder, 'ram.img');
  writeRamImage(image, memory * 1024 * 1024);
  const digest = await digestOf(image);
  let good = true;
  try {
    console.log(`migration of ${memory} MiB without a zero page over a unix socket, fastest of ${rounds}:`);
    for (const multifd of [false, true]) {
      const pairs = [
        { name: 'QEMU → QEMU', source: qemu, destination: qemu },
        { name: 'reference → QEMU', source: reference, destination: qemu },
        { name: 'QEMU → reference', source: qemu, destination: reference },
      ];
      const fastest: MigrationTime[] = [];
      // Taken in turn, so that what else happens on the machine meets all alike.
      for (let round = 0; round < rounds; round++) {
        for (const [i, { source, destination }] of pairs.entries()) {
          const job = { source, destination, image, memory, multifd };
          const time = await migrateOnce(job, round === 0 ? digest : undefined);
          if (fastest[i] === undefined || time.wall < fastest[i].wall) fastest[i] = time;
        }
      }
      for (const [i, { name }] of pairs.entries()) {
        const { wall, source, destination } = fastest[i]!;
        const ratio = fastest[0]!.wall / wall;
        const speed = (memory * 1024 * 1024) / wall / 1e9;
        const verdict = ratio >= floor ? '' : `   below ${floor}`;
        if (ratio < floor) good = false;
        const mode = multifd ? 'multifd' : 'plain';
        console.log(
          `  ${mode.padEnd(8)} ${name.padEnd(18)} ${speed.toFixed(2)} GB/s   ratio ${ratio.toFixed(2)}   ` +
            `CPU ${source.toFixed(2)} + ${destination.toFixed(2)} s${verdict}`,
        );
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return good;
}
