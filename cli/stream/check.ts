/** `qmpspec stream check`: does a recorded stream keep to the format? */
import { exitCodes } from '../../oracle/exit-codes.js';
import { ConformanceChecks } from '../../oracle/peer/stream-conformance.js';
import { StreamError } from '../../reference/stream/stream-error.js';
import type { StreamHandler } from '../../reference/stream/stream-handler.js';
import type { Io } from '../io.js';
import { checkChannels, checkReturnPath } from './channel-check.js';
import { openInput, readInput } from './input.js';
import type { StreamOptions } from './options.js';

export interface CheckOptions extends StreamOptions {
  readonly json?: boolean;
  readonly returnPath?: string;
}

export async function check(file: string, options: CheckOptions, io: Io): Promise<void> {
  const input = await openInput(file, options, io);
  const { rules } = input.options;
  const checks = new ConformanceChecks(rules);
  // Of the connection before a recovery connection only the state counts here.
  const earlier: StreamHandler = {
    sectionBegin: (section) => checks.sectionBegin(section),
    command: (command) => checks.command(command),
  };
  const reader = await readInput(input, checks, io, earlier, (begun) => {
    checks.offset = () => begun.offset;
  });
  const { error } = reader;
  if (error instanceof StreamError) {
    const place = error.section === '' ? '' : `${error.section}: `;
    checks.report(
      'stream-format §10',
      `${place}${error.field}: expected ${error.expected}, got ${error.got}`,
      error.offset,
    );
  } else if (error !== undefined) throw error;
  const behind = reader.takeRest().length;
  if (behind > 0 && error === undefined) {
    checks.report('stream-format §3', `${behind} bytes behind the end of the stream`, reader.offset - behind);
  }
  const bytes = Math.min(reader.offset, input.received);
  const channels = options.channel ?? [];
  if (channels.length > 0) {
    const main = { rules, blocks: reader.state.blocks, syncs: checks.flushes > 0 ? checks.flushes : checks.eos };
    await checkChannels(channels, options, main, io, (...violation) => checks.report(...violation));
  }
  if (options.returnPath !== undefined) {
    await checkReturnPath(options.returnPath, rules, (...violation) => checks.report(...violation));
  }
  if (options.json === true) {
    const { violations, count, notes } = checks;
    io.out.write(`${JSON.stringify({ file, dialect: input.dialect, bytes, count, violations, notes }, null, 2)}\n`);
  } else {
    for (const { offset: at, requirement, text } of checks.violations) {
      io.out.write(`0x${at.toString(16).padStart(8, '0')}  ${requirement.padEnd(20)}  ${text}\n`);
    }
    const more = checks.count - checks.violations.length;
    if (more > 0) io.out.write(`and ${more} more\n`);
    for (const note of checks.notes) io.out.write(`note: ${note}\n`);
    const verdict = checks.count === 0 ? 'conforms' : `${checks.count} violation${checks.count === 1 ? '' : 's'}`;
    io.out.write(`${file}: ${verdict} (${bytes} bytes, dialect ${input.dialect})\n`);
  }
  if (checks.count > 0) io.exitCode = exitCodes.divergences;
}
