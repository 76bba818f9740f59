/**
 * Feeds mutated streams to the reference's destination, and answers its source with mutated return paths: each must end in a
 * clear error or a correct load, in none a crash, a hang, or memory beyond the guest's size and 64 MiB. Most streams go to
 * the loader in this process and most return paths to its reader, some to monitors of their own.
 *
 *     npm run mutate [-- COUNT [SEED]]
 */
import { wholeNumber } from '../cli/options.js';
import { loadStream, readReturnPath } from '../generators/stream/ends.js';
import { mutateStream, seededRandom } from '../generators/stream/mutate-stream.js';
import { returnPathModes, smallReturnPath } from '../generators/stream/small-return-path.js';
import { modes, smallStream } from '../generators/stream/small-stream.js';
import { dialectNames, dialects } from '../reference/dialects/dialect.js';
import { referenceTarget } from '../targets/executable.js';
import './plain-faults.js';
import { toDestination } from './mutate/to-destination.js';
import { toSource } from './mutate/to-source.js';
import { program } from './program.js';

const ramBytes = 2 ** 20;
/** One in so many goes to a monitor. */
const sample = 100;
const [count = 10_000, seed = 1] = program('mutate')
  .argument('[count]', 'how many streams, and as many return paths (default: 10000)', wholeNumber(1, 2 ** 31 - 1))
  .argument('[seed]', 'what they are drawn from (default: 1)', wholeNumber(0, 2 ** 31 - 1))
  .parse().processedArgs as [number?, number?];

const tally = new Map<string, number>();
const problems: string[] = [];
const random = seededRandom(seed);
const nth = <T>(list: readonly T[], i: number): T => list[i % list.length] as T;

/** Notes how number `i` ended. */
function note(i: number, where: string, what: string, outcome: string): void {
  const key = `${where}: ${outcome.split(':')[0]}`;
  tally.set(key, (tally.get(key) ?? 0) + 1);
  if (/^(crash|hang|memory|wrong)/.test(outcome)) {
    problems.push(`number ${i} of seed ${seed} (${where}, ${what}): ${outcome}`);
  }
}

/** How a reader in this process ended. */
function inside(read: () => { readonly status: string }): string {
  try {
    const { status } = read();
    return status === 'reading' ? 'hang: it still reads' : status;
  } catch (error) {
    return `crash: ${error instanceof Error ? error.stack : error}`;
  }
}

async function streams(): Promise<void> {
  for (let i = 0; i < count; i++) {
    const [name, mode] = [nth(dialectNames, i), nth(modes, i)];
    const stream = smallStream(dialects[name].stream, ramBytes, mode, random);
    const { bytes, names } = mutateStream(stream.bytes, stream.spans, random);
    const outside = i % sample === 0;
    const outcome = outside
      ? await toDestination(name, bytes, mode)
      : inside(() => loadStream(dialects[name], ramBytes, mode, bytes));
    note(i, outside ? 'destination' : 'loader', `${name}, ${mode}, ${names.join(' ')}`, outcome);
  }
}

async function returnPaths(): Promise<void> {
  const targets = new Map(dialectNames.map((name) => [name, referenceTarget('reference', ['--dialect', name])]));
  try {
    for (let i = 0; i < count; i++) {
      const [name, mode] = [nth(dialectNames, i), nth(returnPathModes, Math.floor(i / dialectNames.length))];
      const path = smallReturnPath(dialects[name].stream, ramBytes, mode, random);
      const { bytes, names } = mutateStream(path.bytes, path.spans, random);
      const outside = i % sample === 0;
      const outcome = outside
        ? await toSource(targets.get(name)!, bytes, mode)
        : inside(() => readReturnPath(dialects[name], ramBytes, mode, bytes));
      note(i, outside ? 'source' : 'return path', `${name}, ${mode}, ${names.join(' ')}`, outcome);
    }
  } finally {
    for (const target of targets.values()) await target.close();
  }
}

const began = performance.now();
const before = process.memoryUsage().rss;
await streams();
await returnPaths();
const grown = process.memoryUsage().rss - before;
for (const [what, times] of [...tally].sort()) process.stdout.write(`${String(times).padStart(7)}  ${what}\n`);
for (const problem of problems.slice(0, 20)) process.stdout.write(`${problem}\n`);
const [mib, seconds] = [Math.round(grown / 2 ** 20), ((performance.now() - began) / 1000).toFixed(1)];
process.stdout.write(
  `${count} mutated streams, ${count} mutated return paths, ${problems.length} problems, ${mib} MiB grown, ${seconds} s\n`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
