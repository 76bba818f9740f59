import { pageSize } from '../ram/guest-ram.js';
import { RamFlag } from './format.js';
import type { ReaderContext, Steps } from './reader-context.js';
import type { StreamBlock } from './stream-handler.js';

/** Version of the header below. */
const mappedVersion = 1;
/** Largest bitmap that is read: of a block of 4 TiB. */
const longestBitmap = 128 * 1024 * 1024;

/**
 * Reads a block's pages where a source with `mapped-ram` puts them: right behind the block's entry in the setup record
 * come version (be32), page size, and the file offsets of a bitmap and of the pages (be64 each); then, at those offsets,
 * one bit for each page of the block (64-bit words of the host, little-endian here) and the whole block, in which only
 * pages with their bit set mean anything. Pages are handed on as PAGE records would be.
 */
export function* mappedBlock(context: ReaderContext, block: StreamBlock): Steps {
  const at = context.source.offset;
  const version = yield* context.be32();
  const size = yield* context.be64();
  const bitmapOffset = yield* context.be64();
  const pagesOffset = yield* context.be64();
  context.checkEnd('mapped-ram header');
  if (version > mappedVersion) {
    const lines = [
      `Migration mapped-ram capability version not supported (expected <= ${mappedVersion}, got ${version})`,
    ];
    throw wrong(context, at, 'mapped-ram version', `${mappedVersion}`, `${version}`, lines);
  }
  if (size !== pageSize) throw wrong(context, at + 4, 'mapped-ram page size', `${pageSize}`, `${size}`);
  // A block that is not sent (x-ignore-shared) has neither.
  if (bitmapOffset === 0 && pagesOffset === 0) return;
  const pages = Math.ceil(block.length / pageSize);
  const bitmapBytes = Math.ceil(pages / 64) * 8;
  const behind = context.source.offset;
  if (bitmapOffset < behind) throw wrong(context, at + 12, 'bitmap offset', `at least ${behind}`, `${bitmapOffset}`);
  if (pagesOffset < bitmapOffset + bitmapBytes) {
    throw wrong(context, at + 20, 'pages offset', `at least ${bitmapOffset + bitmapBytes}`, `${pagesOffset}`);
  }
  if (bitmapBytes > longestBitmap) {
    throw wrong(context, at, 'mapped-ram bitmap', `at most ${longestBitmap} bytes`, `${bitmapBytes}`);
  }
  yield* skip(context, bitmapOffset - behind);
  const bitmap = yield* copied(context, bitmapBytes);
  yield* skip(context, pagesOffset - bitmapOffset - bitmapBytes);
  for (let page = 0; page < pages; page++) {
    if (context.paused) yield* context.checkPause();
    const length = Math.min(pageSize, block.length - page * pageSize);
    if ((bitmap[page >> 3]! & (1 << (page & 7))) === 0) {
      yield* skip(context, length);
      continue;
    }
    yield* context.need(length);
    context.checkEnd(`page 0x${(page * pageSize).toString(16)} of block '${block.name}'`);
    const { source, handler } = context;
    handler.ramPage?.(block, page * pageSize, RamFlag.page, source.buffer, source.pos, length);
    source.pos += length;
  }
}

function* skip(context: ReaderContext, bytes: number): Steps {
  for (let left = bytes; left > 0; ) {
    yield* context.need(1);
    const { source } = context;
    context.checkEnd('mapped-ram pages');
    const some = Math.min(left, source.end - source.pos);
    source.pos += some;
    left -= some;
  }
}

/** The next bytes, which may come in many chunks. */
function* copied(context: ReaderContext, bytes: number): Steps<Buffer> {
  const parts: Buffer[] = [];
  for (let left = bytes; left > 0; ) {
    yield* context.need(1);
    const { source } = context;
    context.checkEnd('mapped-ram bitmap');
    const some = Math.min(left, source.end - source.pos);
    parts.push(Buffer.from(source.buffer.subarray(source.pos, source.pos + some)));
    source.pos += some;
    left -= some;
  }
  return Buffer.concat(parts);
}

function wrong(
  context: ReaderContext,
  offset: number,
  field: string,
  expected: string,
  got: string,
  lines: readonly string[] = [],
): Error {
  return context.fail('INV', { offset, field, expected, got, lines });
}
