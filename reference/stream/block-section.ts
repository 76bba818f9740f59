import type { ReaderContext, Steps } from './reader-context.js';

/** Bytes of disk in one chunk. */
export const blockChunkBytes = 1024 * 1024;

/** Flags of a chunk, in the low 9 bits of its first word. */
export const BlockFlag = { deviceBlock: 0x01, eos: 0x02, progress: 0x04, zero: 0x08 } as const;

/** Reads the body of a `block` section (stream-format.md §7.1). */
export function* blockSection(context: ReaderContext): Steps {
  const { handler, local } = context;
  for (;;) {
    const at = context.source.offset;
    const word = yield* context.be64();
    const flags = word % 512;
    const sector = (word - flags) / 512;
    if ((flags & BlockFlag.deviceBlock) !== 0) {
      const drive = yield* context.str8();
      if (local !== undefined && !(local.drives ?? []).includes(drive)) {
        const lines = [`Error unknown block device ${drive}`];
        throw context.fail('INV', { offset: at, field: 'drive', expected: 'a known drive', got: `'${drive}'`, lines });
      }
      if ((flags & BlockFlag.zero) !== 0) handler.blockChunk?.({ kind: 'zero', drive, sector });
      else {
        yield* context.need(blockChunkBytes);
        const { source } = context;
        context.checkEnd('disk data');
        const data = source.buffer.subarray(source.pos, source.pos + blockChunkBytes);
        source.pos += blockChunkBytes;
        handler.blockChunk?.({ kind: 'data', drive, sector, data });
      }
    } else if ((flags & BlockFlag.progress) !== 0) handler.blockChunk?.({ kind: 'progress', percent: sector });
    else if ((flags & BlockFlag.eos) === 0) {
      const lines = [`Unknown block migration flags: 0x${flags.toString(16)}`];
      throw context.fail('INV', { offset: at, field: 'chunk flags', expected: 'a known flag', got: `${flags}`, lines });
    }
    context.checkEnd('chunk');
    if ((flags & BlockFlag.eos) !== 0) {
      handler.blockChunk?.({ kind: 'eos' });
      return;
    }
    yield* context.checkPause();
  }
}
