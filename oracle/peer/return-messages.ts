/** Messages that a peer of ours sends back to the source: right ones, wrong ones, for any moment (stream-format.md §8). */
import { ReturnPathType, ReturnPathWriter, returnPathMessage } from '../../reference/stream/return-path-writer.js';
import type { PeerMessage } from '../../targets/scenario.js';

const writer = new ReturnPathWriter();
/** The RAM block of the machine that targets are started with. */
const block = 'ram';
const pageSize = 4096;

const named = (name: string): Buffer => Buffer.concat([Buffer.from([name.length]), Buffer.from(name, 'latin1')]);

/** A page request by name. */
const request = (start: number, length: number, name = block): Buffer => {
  const head = Buffer.alloc(12);
  head.writeBigUInt64BE(BigInt(start));
  head.writeUInt32BE(length, 8);
  return returnPathMessage(ReturnPathType.reqPagesId, Buffer.concat([head, named(name)]));
};

/** … that goes on with the block of the one before it. */
const requestAgain = (): Buffer => {
  const payload = Buffer.alloc(12);
  payload.writeUInt32BE(pageSize, 8);
  return returnPathMessage(ReturnPathType.reqPages, payload);
};

/** A received bitmap of one word, with its frame. */
const bitmap = (name: string): Buffer => {
  const frame = Buffer.alloc(24);
  frame.writeBigUInt64BE(8n);
  frame.writeBigUInt64BE(0x0123456789abcdefn, 16);
  return Buffer.concat([returnPathMessage(ReturnPathType.recvBitmap, named(name)), frame]);
};

export const returnMessages: Readonly<Record<PeerMessage, Buffer>> = {
  pong: writer.pong(4711),
  shut: writer.shut(0),
  'shut-error': writer.shut(1),
  'resume-ack': writer.resumeAck(1),
  'bad-ack': writer.resumeAck(2),
  unknown: returnPathMessage(255, Buffer.alloc(0)),
  // The secondary's message that it is ready for checkpoints (stream-format.md §12).
  ready: Buffer.alloc(4),
  'shut-negative': writer.shut(-5),
  'shut-empty': returnPathMessage(ReturnPathType.shut, Buffer.alloc(0)),
  'pong-long': returnPathMessage(ReturnPathType.pong, Buffer.alloc(8)),
  'ack-short': returnPathMessage(ReturnPathType.resumeAck, Buffer.alloc(2)),
  'too-long': returnPathMessage(ReturnPathType.reqPagesId, Buffer.alloc(513)),
  switchover: writer.switchoverAck(),
  request: request(0, pageSize),
  'request-again': requestAgain(),
  'request-empty': request(0, 0),
  'request-elsewhere': request(0, pageSize, 'qmpspec'),
  'request-odd': request(64, pageSize),
  'request-half': request(0, pageSize / 2),
  'request-beyond': request(2 ** 40, pageSize),
  'request-cut': returnPathMessage(
    ReturnPathType.reqPagesId,
    Buffer.concat([Buffer.alloc(12), Buffer.from([8]), Buffer.from(block)]),
  ),
  bitmap: bitmap(block),
  'bitmap-elsewhere': bitmap('qmpspec'),
  'bitmap-nameless': returnPathMessage(ReturnPathType.recvBitmap, Buffer.alloc(0)),
  half: writer.pong(1).subarray(0, 5),
};
