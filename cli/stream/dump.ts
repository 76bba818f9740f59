/** `qmpspec stream dump`: what is in a recorded stream. */
import { readFile } from 'node:fs/promises';
import { exitCodes } from '../../oracle/exit-codes.js';
import type { StreamRules } from '../../reference/dialects/stream.js';
import { readChannel } from '../../reference/multifd/channel-reader.js';
import { recordedChannel, withRecorded } from '../../reference/multifd/recorded-channel.js';
import { type ReturnPathMessage, ReturnPathReader } from '../../reference/stream/return-path-reader.js';
import { StreamError } from '../../reference/stream/stream-error.js';
import type { Io } from '../io.js';
import { cannotRead, openBytes } from './byte-input.js';
import { type Input, openInput, readInput } from './input.js';
import { channelOptions, type StreamOptions } from './options.js';
import { Progress } from './progress.js';
import { StreamSummary } from './summary.js';

export interface DumpOptions extends StreamOptions {
  readonly json?: boolean;
  readonly returnPath?: string;
}

interface ChannelSummary {
  readonly file: string;
  id: number | undefined;
  packets: number;
  pages: number;
  zeroPages: number;
  syncs: number;
  error?: string;
}

export async function dump(file: string, options: DumpOptions, io: Io): Promise<void> {
  const input = await openInput(file, options, io);
  const summary = new StreamSummary(input.options.described);
  const reader = await readInput(input, summary, io);
  const rest = reader.takeRest().length;
  const { error } = reader;
  if (error !== undefined && !(error instanceof StreamError)) throw error;
  const channels: ChannelSummary[] = [];
  for (const path of options.channel ?? [])
    channels.push(await channelSummary(path, input.options.rules, summary, options, io));
  const returnPath =
    options.returnPath === undefined ? undefined : await messages(options.returnPath, input.options.rules);
  if (options.json === true) {
    const value = {
      file,
      dialect: input.dialect,
      dialectFrom: input.dialectFrom,
      bytes: Math.min(reader.offset, input.received),
      ...summary.toJSON(),
      bytesBehind: rest,
      ...(channels.length === 0 ? {} : { channels }),
      ...(returnPath === undefined ? {} : { returnPath }),
      error: error === undefined ? null : errorValue(error),
    };
    io.out.write(`${JSON.stringify(value, null, 2)}\n`);
  } else {
    io.out.write(
      `${lines(input, summary, Math.min(reader.offset, input.received), rest, channels, returnPath).join('\n')}\n`,
    );
    if (error !== undefined) io.out.write(`\n${io.out.colors.red('broken')}  ${error.message}\n`);
  }
  const bad = error !== undefined || channels.some((channel) => channel.error !== undefined);
  if (bad || returnPath?.error !== undefined) io.exitCode = exitCodes.divergences;
}

function errorValue(error: StreamError): Record<string, unknown> {
  const { offset, section, field, expected, got, reason, message } = error;
  return { offset, section, field, expected, got, reason, lines: [...error.lines, error.failure], message };
}

async function channelSummary(
  file: string,
  rules: StreamRules,
  summary: StreamSummary,
  options: DumpOptions,
  io: Io,
): Promise<ChannelSummary> {
  const result: ChannelSummary = { file, id: undefined, packets: 0, pages: 0, zeroPages: 0, syncs: 0 };
  const { chunks, size } = await openBytes(file, io);
  const progress = new Progress(file, size, io);
  try {
    const recorded = await recordedChannel(progress.through(chunks));
    await readChannel(
      recorded.chunks,
      withRecorded(
        { ...channelOptions(options, rules), channels: 255, order: 0, block: (name) => summary.blocks.get(name) },
        [recorded],
      ),
      {
        initial: ({ id }) => {
          result.id = id;
        },
        packet: ({ pages, zeroPages }) => {
          result.packets++;
          result.pages += pages;
          result.zeroPages += zeroPages;
        },
        pages: () => undefined,
        zeroPage: () => undefined,
        sync: () => {
          result.syncs++;
        },
      },
    );
  } catch (error) {
    const known = cannotRead(file, error);
    if (known !== error) throw known;
    result.error = error instanceof Error ? error.message : String(error);
  } finally {
    progress.clear();
  }
  return result;
}

interface ReturnPath {
  readonly messages: Record<string, unknown>[];
  error?: string;
}

async function messages(file: string, rules: StreamRules): Promise<ReturnPath> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw cannotRead(file, error);
  });
  const result: ReturnPath = { messages: [] };
  const show = (message: ReturnPathMessage): void => {
    result.messages.push(
      message.type === 'RECV_BITMAP' ? { ...message, bitmap: message.bitmap.toString('hex') } : message,
    );
  };
  const reader = new ReturnPathReader(rules, show);
  try {
    reader.push(bytes);
    reader.end();
  } catch (error) {
    result.error = error instanceof Error ? error.message : String(error);
  }
  return result;
}

function lines(
  input: Input,
  summary: StreamSummary,
  bytes: number,
  rest: number,
  channels: readonly ChannelSummary[],
  returnPath: ReturnPath | undefined,
): string[] {
  const out: string[] = [];
  const title = (text: string): void => void out.push('', text);
  const from = {
    option: '',
    description: ' (by the vmdescription)',
    command: ' (by its first command)',
    machine: " (by the machine's version)",
    section: ' (by the number of the RAM section)',
    default: ' (assumed; see --dialect)',
  };
  out.push(`${input.name}: ${bytes} bytes, dialect ${input.dialect}${from[input.dialectFrom]}`);
  out.push(`machine ${summary.machine ?? '(no configuration)'}${summary.ended ? '' : ', not complete'}`);
  for (const { name, version } of summary.subsections) out.push(`  ${name} version ${version}`);
  if (summary.blocks.size > 0)
    title('RAM block                      bytes     zero     page   xbzrle compressed discarded');
  for (const block of summary.blocks.values()) {
    const { name, length, zero, page, xbzrle, compressed, discarded } = block;
    const count = (value: number, width: number): string => String(value).padStart(width);
    out.push(
      `  ${name.padEnd(22)}${count(length, 12)}${count(zero, 9)}${count(page, 9)}${count(xbzrle, 9)}` +
        `${count(compressed, 11)}${count(discarded, 10)}`,
    );
  }
  if (summary.sections.size > 0) title('section                   id  version  START  PART   END  FULL         bytes');
  for (const section of summary.sections.values()) {
    const name = section.instance === 0 ? section.idstr : `${section.idstr} ${section.instance}`;
    out.push(
      `  ${name.padEnd(22)}${String(section.id).padStart(4)}${String(section.version).padStart(9)}` +
        `${String(section.start).padStart(7)}${String(section.part).padStart(6)}${String(section.end).padStart(6)}` +
        `${String(section.full).padStart(6)}${String(section.bytes).padStart(14)}`,
    );
  }
  for (const [drive, { data, zero }] of Object.entries(summary.drives)) {
    title(`drive ${drive}: ${data} chunks of data, ${zero} zero chunks`);
  }
  if (Object.keys(summary.bitmaps).length > 0) title('dirty bitmaps');
  for (const [name, { granularity, chunks }] of Object.entries(summary.bitmaps)) {
    out.push(`  ${name}: granularity ${granularity}, ${chunks} chunks`);
  }
  if (summary.commands.length > 0) title('commands');
  for (const { name, at, depth, value, block, ranges } of summary.commands) {
    const details = [value, block, ranges === undefined ? undefined : `${ranges.length} ranges`];
    const shown = details.filter((detail) => detail !== undefined).join(' ');
    out.push(`  ${at.padEnd(12)}${depth > 0 ? '  ' : ''}${name} ${shown}`.trimEnd());
  }
  if (channels.length > 0) title('multifd channels');
  for (const { file, id, packets, pages, zeroPages, syncs, error } of channels) {
    out.push(`  ${id ?? '?'}  ${file}: ${packets} packets, ${pages} pages, ${zeroPages} zero pages, ${syncs} SYNC`);
    if (error !== undefined) out.push(`     broken: ${error}`);
  }
  if (returnPath !== undefined) title('return path');
  for (const { type, ...rest } of returnPath?.messages ?? [])
    out.push(`  ${String(type)} ${Object.values(rest).join(' ')}`.trimEnd());
  if (returnPath?.error !== undefined) out.push(`  broken: ${returnPath.error}`);
  if (summary.messages.length > 0) title('a destination would print');
  for (const message of summary.messages) out.push(`  ${message}`);
  if (summary.descriptionBytes !== undefined) title(`vmdescription: ${summary.descriptionBytes} bytes`);
  if (rest > 0) title(`${rest} bytes behind the end`);
  return out;
}
