/** Checks of recorded multifd data channels and return paths, for `qmpspec stream check`. */
import { readFile } from 'node:fs/promises';
import type { StreamRules } from '../../reference/dialects/stream.js';
import { readChannel } from '../../reference/multifd/channel-reader.js';
import { MultifdError } from '../../reference/multifd/multifd-error.js';
import { recordedChannel, withRecorded } from '../../reference/multifd/recorded-channel.js';
import { pageSize } from '../../reference/ram/guest-ram.js';
import { isZeroPage } from '../../reference/ram/zero-page.js';
import { ReturnPathError, ReturnPathReader } from '../../reference/stream/return-path-reader.js';
import type { StreamBlock } from '../../reference/stream/stream-handler.js';
import type { Io } from '../io.js';
import { cannotRead, openBytes } from './byte-input.js';
import { channelOptions, type StreamOptions } from './options.js';
import { Progress } from './progress.js';

/** Where a violation of a side file goes: its offset is in that file. */
export type Report = (requirement: string, text: string, offset: number) => void;

export interface ChannelsOf {
  readonly rules: StreamRules;
  readonly blocks: ReadonlyMap<string, StreamBlock>;
  /** Sync records of the main channel. */
  readonly syncs: number;
}

/** Reads data channels to their ends, one after the other (multifd.md). */
export async function checkChannels(
  files: readonly string[],
  options: StreamOptions,
  main: ChannelsOf,
  io: Io,
  report: Report,
): Promise<void> {
  const ids = new Map<number, string>();
  for (const file of files) {
    const tell: Report = (requirement, text, offset) => report(requirement, `${file}: ${text}`, offset);
    const { chunks, size } = await openBytes(file, io);
    const progress = new Progress(file, size, io);
    let syncs = 0;
    let packetAt = 0;
    try {
      const recorded = await recordedChannel(progress.through(chunks));
      const block = (name: string): StreamBlock | undefined => main.blocks.get(name);
      await readChannel(
        recorded.chunks,
        withRecorded({ ...channelOptions(options, main.rules), channels: files.length, order: 0, block }, [recorded]),
        {
          initial: ({ id }) => {
            const other = ids.get(id);
            if (other !== undefined) tell('multifd §1', `channel id ${id} is that of ${other} too`, 0);
            ids.set(id, file);
          },
          packet: ({ offset }) => {
            packetAt = offset;
          },
          pages: (_block, offset, bytes, start, count) => {
            if (main.rules.zeroDetectionOptional) return;
            for (let at = 0; at < count * pageSize; at += pageSize) {
              if (!isZeroPage(bytes, start + at)) continue;
              tell('multifd §4', `packet with the all-zero page at 0x${(offset + at).toString(16)}`, packetAt);
            }
          },
          zeroPage: () => undefined,
          sync: () => {
            syncs++;
          },
        },
      );
      if (syncs !== main.syncs) {
        tell('multifd §4', `${syncs} SYNC packets for ${main.syncs} sync records of the main channel`, packetAt);
      }
    } catch (error) {
      if (!(error instanceof MultifdError)) throw cannotRead(file, error);
      tell('multifd §5', error.message, error.offset);
    } finally {
      progress.clear();
    }
  }
}

/** Reads what the destination answered (stream-format.md §8). */
export async function checkReturnPath(file: string, rules: StreamRules, report: Report): Promise<void> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw cannotRead(file, error);
  });
  const reader = new ReturnPathReader(rules, () => undefined);
  try {
    reader.push(bytes);
    reader.end();
  } catch (error) {
    const offset = error instanceof ReturnPathError ? error.offset : 0;
    report('stream-format §8', `${file}: ${error instanceof Error ? error.message : String(error)}`, offset);
  }
}
