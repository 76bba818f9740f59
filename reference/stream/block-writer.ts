import { BlockFlag, blockChunkBytes } from './block-section.js';
import type { ByteOutput } from './byte-output.js';
import type { BlockChunk } from './stream-handler.js';

/** Writes one chunk of a `block` section (stream-format.md §7.1). */
export function writeBlockChunk(out: ByteOutput, chunk: BlockChunk): void {
  switch (chunk.kind) {
    case 'data':
      out.be64(chunk.sector * 512 + BlockFlag.deviceBlock);
      out.str8(chunk.drive);
      out.bytes(chunk.data);
      // The last chunk of a disk is padded: the receiver always reads a whole one.
      out.bytes(Buffer.alloc(blockChunkBytes - chunk.data.length));
      return;
    case 'zero':
      out.be64(chunk.sector * 512 + BlockFlag.deviceBlock + BlockFlag.zero);
      out.str8(chunk.drive);
      return;
    case 'progress':
      out.be64(chunk.percent * 512 + BlockFlag.progress);
      return;
    case 'eos':
      out.be64(BlockFlag.eos);
  }
}
