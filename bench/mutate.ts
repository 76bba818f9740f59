/**
 * Feeds mutated streams to the reference's destination: each must end in a clear error or a correct load, in none a crash, a
 * hang, or memory beyond the guest's size and 64 MiB. Most go to the loader in this process, some to monitors of their own.
 *
 *     npm run mutate [-- COUNT [SEED]]
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { mutateStream, seededRandom } from '../generators/stream/mutate-stream.js';
import { modes, smallStream } from '../generators/stream/small-stream.js';
import { dialectNames, dialects } from '../reference/dialects/dialect.js';
import { createGuestRam } from '../reference/ram/guest-ram.js';
import { RamLoader } from '../reference/stream/ram-loader.js';
import { StreamError } from '../reference/stream/stream-error.js';
import { StreamReader } from '../reference/stream/stream-reader.js';
import { referenceTarget } from '../targets/executable.js';

const ramBytes = 2 ** 20;
/** One in so many goes to a monitor. */
const sample = 100;
const allowance = 64 * 2 ** 20;
/** Milliseconds in which a monitor must be through with a stream that is over. */
const patience = 20_000;
const [count = 10_000, seed = 1] = process.argv.slice(2).map(Number);

const tally = new Map<string, number>();
const tell = (what: string) => tally.set(what, (tally.get(what) ?? 0) + 1);
const problems: string[] = [];

/** Loads it in this process; how it ended. */
function load(dialect: (typeof dialects)[keyof typeof dialects], bytes: Buffer, mode: string): string {
  const loader = new RamLoader(createGuestRam([{ name: 'ram', size: ramBytes }]));
  const capabilities = new Set(mode === 'postcopy' ? ['postcopy-ram'] : mode === 'compress' ? ['compress'] : []);
  const knownCapabilities = dialect.migration.capabilities;
  const local = { machineName: 'none', blocks: [{ name: 'ram', length: ramBytes }], capabilities, knownCapabilities };
  const reader = new StreamReader(
    { rules: dialect.stream, local },
    {
      ramPage: (...page) => loader.ramPage(...page),
      command: ({ name, block, ranges }) => {
        if (name === 'POSTCOPY_RAM_DISCARD' && block !== undefined) loader.discard(block, ranges ?? []);
        if (name === 'POSTCOPY_LISTEN') loader.listen();
      },
    },
  );
  try {
    reader.push(bytes);
    reader.end();
  } catch (error) {
    if (!(error instanceof StreamError)) return `crash: ${error instanceof Error ? error.stack : error}`;
  }
  return reader.status === 'reading' ? 'hang: it still reads' : reader.status;
}

/** Resident memory of a process at its highest, in bytes; undefined where the host does not tell. */
function peakOf(pid: number): number | undefined {
  try {
    const [, kib] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}

/** Feeds it to a monitor; how that ended. */
async function feed(dialect: string, bytes: Buffer, mode: string): Promise<string> {
  const target = referenceTarget('reference', ['--dialect', dialect]);
  try {
    const instance = await target.start({ incoming: 'defer', memory: 1 });
    const session = await instance.connect();
    await session.greeting();
    await session.negotiate();
    if (mode === 'postcopy' || mode === 'compress') {
      const capability = mode === 'postcopy' ? 'postcopy-ram' : 'compress';
      await session.command('migrate-set-capabilities', { capabilities: [{ capability, state: true }] });
    }
    await session.command('migrate-incoming', { uri: `unix:${instance.scratch}/in.sock` });
    const before = peakOf(instance.pid ?? 0);
    const socket = connect(`${instance.scratch}/in.sock`);
    socket.on('error', () => undefined);
    socket.resume();
    socket.end(bytes);
    const until = performance.now() + patience;
    while (instance.exit === undefined) {
      if (performance.now() > until) return 'hang: neither loaded nor failed';
      const reply = await session.command('query-migrate').catch(() => undefined);
      if (reply === undefined) {
        // It has closed its monitor: its end is not far.
        await instance.exited(patience).catch(() => undefined);
        break;
      }
      const peak = peakOf(instance.pid ?? 0);
      if (before !== undefined && peak !== undefined && peak > before + ramBytes + allowance) {
        return `memory: ${Math.round((peak - before) / 2 ** 20)} MiB more than before`;
      }
      if (/"(completed|failed|postcopy-paused)"/.test(reply.text)) break;
    }
    const { exit } = instance;
    if (exit === undefined && performance.now() > until) return 'hang: it closed its monitor and did not end';
    if (exit !== undefined && (exit.signal !== null || exit.code !== 1)) {
      return `crash: exit ${exit.signal ?? exit.code}: ${instance.stderr.slice(-300)}`;
    }
    if (/\n\s+at /.test(instance.stderr)) return `crash: ${instance.stderr.slice(-300)}`;
    return exit === undefined ? 'complete' : 'failed';
  } finally {
    await target.close();
  }
}

const random = seededRandom(seed);
const began = performance.now();
const before = process.memoryUsage().rss;
for (let i = 0; i < count; i++) {
  const name = dialectNames[i % dialectNames.length] as (typeof dialectNames)[number];
  const mode = modes[i % modes.length] as (typeof modes)[number];
  const stream = smallStream(dialects[name].stream, ramBytes, mode, random);
  const { bytes, names } = mutateStream(stream.bytes, stream.spans, random);
  const outside = i % sample === 0;
  const outcome = outside ? await feed(name, bytes, mode) : load(dialects[name], bytes, mode);
  tell(`${outside ? 'monitor' : 'loader'}: ${outcome.split(':')[0]}`);
  if (/^(crash|hang|memory)/.test(outcome)) {
    problems.push(`number ${i} of seed ${seed} (${name}, ${mode}, ${names.join(' ')}): ${outcome}`);
  }
}
const grown = process.memoryUsage().rss - before;
for (const [what, times] of [...tally].sort()) process.stdout.write(`${String(times).padStart(7)}  ${what}\n`);
for (const problem of problems.slice(0, 20)) process.stdout.write(`${problem}\n`);
const [mib, seconds] = [Math.round(grown / 2 ** 20), ((performance.now() - began) / 1000).toFixed(1)];
process.stdout.write(`${count} mutated streams, ${problems.length} problems, ${mib} MiB grown, ${seconds} s\n`);
process.exitCode = problems.length === 0 && count > 0 ? 0 : 1;
