import { connect } from 'node:net';
import { capabilitiesFor } from '../../generators/stream/ends.js';
import type { SmallStream } from '../../generators/stream/small-stream.js';
import { referenceTarget } from '../../targets/executable.js';
import { allowance, peakOf } from './memory.js';

/** Milliseconds in which a monitor must be through with a stream that is over. */
const patience = 20_000;

/** Feeds a stream to a monitor with 1 MiB of RAM that waits for one; how that ended. */
export async function toDestination(dialect: string, bytes: Buffer, mode: SmallStream['mode']): Promise<string> {
  const target = referenceTarget('reference', ['--dialect', dialect]);
  try {
    const instance = await target.start({ incoming: 'defer', memory: 1 });
    const session = await instance.connect();
    await session.greeting();
    await session.negotiate();
    for (const capability of capabilitiesFor(mode)) {
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
      if (before !== undefined && peak !== undefined && peak > before + 2 ** 20 + allowance) {
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
