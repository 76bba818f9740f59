import { pageSize } from '../ram/guest-ram.js';
import type { ReaderContext, Steps } from './reader-context.js';
import type { StreamError } from './stream-error.js';
import type { ByteRange } from './stream-writer.js';

const command = 'CMD_POSTCOPY_RAM_DISCARD';

/** Reads and checks the payload of POSTCOPY_RAM_DISCARD (stream-format.md §4, §10). */
export function* readDiscard(context: ReaderContext, length: number): Steps<{ block: string; ranges: ByteRange[] }> {
  const refuse = (field: string, line: string, expected: string, got: string): StreamError =>
    context.fail('PERM', { field, expected, got, lines: [line] });
  if (length < 20) throw refuse('payload length', `${command} invalid length (${length})`, 'at least 20', `${length}`);
  const version = yield* context.u8();
  if (version !== 0) throw refuse('version', `${command} invalid version (${version})`, '0', `${version}`);
  const block = yield* context.str8();
  if (block === '' || context.source.pastEnd) {
    throw refuse('block name', `${command} Failed to read RAMBlock ID`, 'a name', 'none');
  }
  const nil = yield* context.u8();
  if (nil !== 0) throw refuse('byte after the name', `${command} missing nil (${nil})`, '0', `${nil}`);
  // The remaining length is a 16-bit number on a real destination: a name longer than the payload wraps it around.
  const left = (length - 3 - block.length) & 0xffff;
  if (left % 16 !== 0)
    throw refuse('payload length', `${command} invalid length (${left})`, 'a multiple of 16', `${left}`);
  const ranges: ByteRange[] = [];
  for (let i = 0; i < left; i += 16) {
    const start = yield* context.be64();
    const bytes = yield* context.be64();
    const line = checkRange(context, block, start, bytes);
    if (line !== undefined) {
      throw refuse(`range of block '${block}'`, line, 'whole pages inside the block', `${start} + ${bytes}`);
    }
    ranges.push({ start, length: bytes });
  }
  return { block, ranges };
}

/** What a real destination prints about a range it cannot discard. */
function checkRange(context: ReaderContext, name: string, start: number, length: number): string | undefined {
  const block = context.state.blocks.get(name);
  if (block === undefined) return `ram_discard_range: Failed to find block '${name}'`;
  if (start % block.pageSize !== 0) return `ram_block_discard_range: Unaligned start address: 0x${start.toString(16)}`;
  if (start + length > block.length) {
    const [size, most] = [length.toString(16), block.length.toString(16)];
    return `ram_block_discard_range: Overrun block '${name}' (${start}/${size}/${most})`;
  }
  if (length % pageSize !== 0) return `ram_block_discard_range: Unaligned length: 0x${length.toString(16)}`;
  return undefined;
}
