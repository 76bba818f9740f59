import type { ReaderContext, Steps } from './reader-context.js';

/** Flags of a chunk of the `dirty-bitmap` section. */
export const BitmapFlag = {
  eos: 0x01,
  zeroes: 0x02,
  bitmapName: 0x04,
  deviceName: 0x08,
  start: 0x10,
  complete: 0x20,
  bits: 0x40,
  more: 0x80,
} as const;

/** Longest run of bits in one chunk that is read; real sources send at most 1024 bytes. */
const longestBits = 16 * 1024 * 1024;

/** Reads the body of a `dirty-bitmap` section (stream-format.md §7.2). */
export function* dirtyBitmapSection(context: ReaderContext): Steps {
  for (;;) {
    const last = yield* chunk(context);
    context.checkEnd('chunk');
    if (last) return;
    yield* context.checkPause();
  }
}

function* flagsOf(context: ReaderContext): Steps<{ flags: number; flagBytes: number }> {
  let flags = yield* context.u8();
  if ((flags & BitmapFlag.more) === 0) return { flags, flagBytes: 1 };
  flags = flags * 0x100 + (yield* context.u8());
  if ((flags & BitmapFlag.more) === 0) return { flags, flagBytes: 2 };
  flags = flags * 0x10000 + (yield* context.be16());
  return { flags, flagBytes: 4 };
}

function* chunk(context: ReaderContext): Steps<boolean> {
  const { state, handler, local } = context;
  const at = context.source.offset;
  const { flags, flagBytes } = yield* flagsOf(context);
  if ((flags & BitmapFlag.deviceName) !== 0) {
    state.bitmapNode = yield* context.str8();
    if (local !== undefined && !(local.nodes ?? []).includes(state.bitmapNode)) {
      const line = `no node '${state.bitmapNode}' for dirty bitmaps`;
      if (!context.rules.lenientDirtyBitmaps) {
        const got = `'${state.bitmapNode}'`;
        throw context.fail('INV', { offset: at, field: 'node', expected: 'a known node', got, lines: [line] });
      }
      handler.message?.(line);
    }
  }
  if ((flags & BitmapFlag.bitmapName) !== 0) state.bitmapName = yield* context.str8();
  const common = { flags, flagBytes, node: state.bitmapNode, bitmap: state.bitmapName };
  const kinds = flags & (BitmapFlag.start | BitmapFlag.complete | BitmapFlag.bits | BitmapFlag.eos);
  switch (kinds) {
    case BitmapFlag.start: {
      const granularity = yield* context.be32();
      const bitmapFlags = yield* context.u8();
      if ((bitmapFlags & 0xf8) !== 0) {
        const lines = [`dirty bitmap with unknown flags 0x${bitmapFlags.toString(16)}`];
        throw context.fail('INV', { field: 'bitmap flags', expected: 'bits 0 to 2', got: `${bitmapFlags}`, lines });
      }
      handler.bitmapChunk?.({ ...common, granularity, bitmapFlags });
      return false;
    }
    case BitmapFlag.complete:
      handler.bitmapChunk?.(common);
      return false;
    case BitmapFlag.bits:
      yield* bits(context, common);
      return false;
    case BitmapFlag.eos:
      handler.bitmapChunk?.(common);
      return true;
    default:
      throw context.fail('INV', {
        offset: at,
        field: 'chunk flags',
        expected: 'one of START, COMPLETE, BITS, EOS',
        got: `0x${flags.toString(16)}`,
      });
  }
}

function* bits(
  context: ReaderContext,
  common: { flags: number; flagBytes: number; node: string; bitmap: string },
): Steps {
  const firstSector = yield* context.be64();
  const sectors = yield* context.be32();
  if ((common.flags & BitmapFlag.zeroes) !== 0) {
    context.handler.bitmapChunk?.({ ...common, firstSector, sectors });
    return;
  }
  const length = yield* context.be64();
  if (length > longestBits) {
    throw context.fail('INV', { field: 'bitmap buffer', expected: `at most ${longestBits} bytes`, got: `${length}` });
  }
  yield* context.need(length);
  context.checkEnd('bitmap buffer');
  const { source } = context;
  const view = source.buffer.subarray(source.pos, source.pos + length);
  source.pos += length;
  context.handler.bitmapChunk?.({ ...common, firstSector, sectors, bits: view });
}
