/**
 * The data path against its yardsticks, in one run on one machine. Exit code 1 when a ratio is below its floor.
 * Usage: npm run bench:stream [-- PART…], the parts being xbzrle, dump and throughput; default all.
 */
import { qemuTarget, referenceTarget } from '../targets/executable.js';
import './plain-faults.js';
import { UsageError } from '../cli/failures.js';
import { program } from './program.js';
import { dump } from './stream/dump.js';
import { throughput } from './stream/throughput.js';
import { xbzrle } from './stream/xbzrle.js';

/** Starting with a GiB of RAM to load takes its time on a busy machine. */
const settings = { deadline: 120_000, readiness: 120_000 };

const parts: Readonly<Record<string, () => boolean | Promise<boolean>>> = {
  xbzrle,
  dump: () => dump({ memory: 4096, rounds: 3, script: process.env.QMPSPEC_ANALYZE_MIGRATION }),
  async throughput() {
    const qemu = qemuTarget('qemu', undefined, settings);
    const reference = referenceTarget('reference', ['--dialect', '7.2'], settings);
    try {
      // A machine that is virtual itself gives memory at very different speeds: each pair needs its chance.
      return await throughput({ qemu, reference, memory: 1024, rounds: 5 });
    } finally {
      await qemu.close();
      await reference.close();
    }
  },
};

const [given] = program('bench:stream')
  .argument('[part...]', `${Object.keys(parts).join(', ')}; default all`)
  .parse().processedArgs as [string[]];
const unknown = given.find((name) => !Object.hasOwn(parts, name));
if (unknown !== undefined) throw new UsageError(`'${unknown}' is no part; there are ${Object.keys(parts).join(', ')}`);
for (const name of given.length > 0 ? given : Object.keys(parts)) {
  if (!(await parts[name]?.())) process.exitCode = 1;
}
