import type { DirtyBitmap } from '../ram/dirty-bitmap.js';
import { bitmapEndMark } from './format.js';

/** Message types of the return path (stream-format.md §8). */
export const ReturnPathType = {
  shut: 1,
  pong: 2,
  reqPagesId: 3,
  reqPages: 4,
  recvBitmap: 5,
  resumeAck: 6,
  switchoverAck: 7,
} as const;

/** Builds the messages that a destination sends back to the source (stream-format.md §8). */
export class ReturnPathWriter {
  #lastBlock: string | undefined;

  /** Last message; 0 means that everything went fine. */
  shut(value: number): Buffer {
    return word(ReturnPathType.shut, value);
  }

  /** Answer to PING. */
  pong(value: number): Buffer {
    return word(ReturnPathType.pong, value);
  }

  /** Asks for pages; the block's name goes along when it differs from the last request's. Bytes, page-aligned. */
  requestPages(block: string, start: number, length: number): Buffer {
    const repeat = block === this.#lastBlock;
    this.#lastBlock = block;
    const name = Buffer.from(block, 'latin1');
    const payload = Buffer.alloc(repeat ? 12 : 13 + name.length);
    payload.writeBigUInt64BE(BigInt(start), 0);
    payload.writeUInt32BE(length, 8);
    if (!repeat) {
      payload[12] = name.length;
      name.copy(payload, 13);
    }
    return returnPathMessage(repeat ? ReturnPathType.reqPages : ReturnPathType.reqPagesId, payload);
  }

  /** Answer to RECV_BITMAP: which pages of the block are present. */
  receivedBitmap(block: string, received: DirtyBitmap): Buffer {
    const name = Buffer.from(block, 'latin1');
    const bits = received.toWire();
    const frame = Buffer.alloc(8 + bits.length + 8);
    frame.writeBigUInt64BE(BigInt(bits.length), 0);
    bits.copy(frame, 8);
    frame.writeBigUInt64BE(bitmapEndMark, 8 + bits.length);
    const head = returnPathMessage(ReturnPathType.recvBitmap, Buffer.concat([Buffer.from([name.length]), name]));
    return Buffer.concat([head, frame]);
  }

  /** Answer to POSTCOPY_RESUME. */
  resumeAck(value = 1): Buffer {
    return word(ReturnPathType.resumeAck, value);
  }

  /** Consent to the switchover (10.0). */
  switchoverAck(): Buffer {
    return returnPathMessage(ReturnPathType.switchoverAck, Buffer.alloc(0));
  }
}

/** Any message: type, length of the payload, payload. */
export function returnPathMessage(type: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}

function word(type: number, value: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(value >>> 0);
  return returnPathMessage(type, payload);
}
