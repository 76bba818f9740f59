/** `qmpspec stream dump` against QEMU's analyze-migration.py on the same file. */
import { execFileSync, spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync, writevSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dialects } from '../../reference/dialects/dialect.js';
import { describeDevices, writeDevices } from '../../reference/migration/device-state.js';
import { pageSize } from '../../reference/ram/guest-ram.js';
import { StreamWriter } from '../../reference/stream/stream-writer.js';
import { theReaper } from '../../targets/reaper.js';

export interface DumpOptions {
  /** RAM in the stream, in MiB, all of it non-zero. */
  readonly memory: number;
  /** Both take turns so many times; the fastest of each counts. */
  readonly rounds: number;
  /** Path of the script, where it is known. */
  readonly script: string | undefined;
}

const floor = 3;
/** Most memory that the command may have resident, in MB. */
const residentLimit = 150;

/** @returns false when the ratio is below its floor or the memory above its limit */
export function dump({ memory, rounds, script }: DumpOptions): boolean {
  const folder = theReaper().folder();
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'stream.bin');
  try {
    writeStream(file, memory);
    const own: { wall: number; resident: number }[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      own.push(dumpOnce(file));
      if (script !== undefined)
        theirs.push(
          timed(() => execFileSync('python3', [script, '-f', file], { stdio: ['ignore', 'ignore', 'inherit'] })),
        );
    }
    const wall = Math.min(...own.map((one) => one.wall));
    const resident = Math.max(...own.map((one) => one.resident));
    const speed = (seconds: number): string => `${((memory * 1024 * 1024) / seconds / 1e9).toFixed(2)} GB/s`;
    const tooMuch = resident > residentLimit ? `, above ${residentLimit}` : '';
    console.log(`stream dump of ${memory} MiB, fastest of ${rounds}:`);
    console.log(`  qmpspec stream dump    ${speed(wall)}   at most ${resident.toFixed(0)} MB resident${tooMuch}`);
    if (theirs.length === 0) {
      console.log('  analyze-migration.py   not compared: give its path in QMPSPEC_ANALYZE_MIGRATION');
      return tooMuch === '';
    }
    const ratio = Math.min(...theirs) / wall;
    const verdict = ratio < floor ? `   below ${floor}` : '';
    console.log(`  analyze-migration.py   ${speed(Math.min(...theirs))}   ratio ${ratio.toFixed(2)}${verdict}`);
    return tooMuch === '' && verdict === '';
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function timed(run: () => void): number {
  const began = performance.now();
  run();
  return (performance.now() - began) / 1000;
}

/** The whole process, its start included, tells at its end how much memory it had. */
function dumpOnce(file: string): { wall: number; resident: number } {
  const main = fileURLToPath(new URL('../../cli/main.js', import.meta.url));
  const report = 'process.on("exit", () => console.error(process.resourceUsage().maxRSS))';
  let resident = 0;
  const wall = timed(() => {
    const args = ['--import', `data:text/javascript,${encodeURIComponent(report)}`, main, 'stream', 'dump', file];
    const { status, stderr } = spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    if (status !== 0) throw new Error(`stream dump: exit status ${status}: ${stderr.toString()}`);
    resident = (Number(stderr.toString()) * 1024) / 1e6;
  });
  return { wall, resident };
}

/** A stream of QEMU 7.2 with RAM of pages that are not zero. */
function writeStream(path: string, memory: number): void {
  const dialect = dialects['7.2'];
  const writer = new StreamWriter(dialect.stream);
  const id = dialect.stream.sectionIds.ram!;
  const block = { name: 'ram' };
  const data = randomFillSync(Buffer.alloc(1024 * 1024));
  const fd = openSync(path, 'w');
  const send = (): void => {
    // In pieces that one call takes: a record is two of the buffers.
    const buffers = writer.out.take();
    for (let at = 0; at < buffers.length; at += 1000) writevSync(fd, buffers.slice(at, at + 1000));
  };
  try {
    writer.header();
    writer.configuration('none');
    writer.start(id, 'ram', 0, 4);
    writer.ram.setup([{ name: 'ram', length: memory * data.length }]);
    writer.ram.eos();
    writer.footer();
    for (let piece = 0; piece < memory; piece++) {
      writer.part(id);
      for (let at = 0; at < data.length; at += pageSize) writer.ram.page(block, piece * data.length + at, data, at);
      writer.ram.eos();
      writer.footer();
      send();
    }
    writer.end(id);
    writer.ram.eos();
    writer.footer();
    writeDevices(writer, dialect, 'running', false);
    writer.eof();
    writer.vmdescription(describeDevices(dialect, 'none', false));
    send();
  } finally {
    closeSync(fd);
  }
}
