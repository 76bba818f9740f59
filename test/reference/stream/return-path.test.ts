import { expect } from 'chai';
import { streamRules } from '../../../reference/dialects/stream.js';
import { DirtyBitmap } from '../../../reference/ram/dirty-bitmap.js';
import {
  ReturnPathError,
  type ReturnPathMessage,
  type ReturnPathPolicy,
  ReturnPathReader,
} from '../../../reference/stream/return-path-reader.js';
import { ReturnPathWriter, returnPathMessage } from '../../../reference/stream/return-path-writer.js';
import { hex, type TestDialect } from './builder.js';
import { fragments, recordings, vector } from './recordings.js';

const policy: ReturnPathPolicy = {
  blocks: new Map([['ram', { length: 0x200000 }]]),
  recovering: () => ({ ok: false, status: 'active' }),
};

function read(
  dialect: TestDialect,
  bytes: Buffer,
  own: ReturnPathPolicy = {},
  piece = 1 << 20,
): { messages: ReturnPathMessage[]; error: string } {
  const messages: ReturnPathMessage[] = [];
  const reader = new ReturnPathReader(streamRules[dialect], (message) => messages.push(message), own);
  try {
    for (const chunk of fragments(bytes, () => piece)) reader.push(chunk);
    reader.end();
  } catch (error) {
    if (!(error instanceof ReturnPathError)) throw error;
    return { messages, error: error.message };
  }
  return { messages, error: '' };
}

/** Writes messages again. */
function rewrite(messages: readonly ReturnPathMessage[]): Buffer {
  const writer = new ReturnPathWriter();
  const write = (message: ReturnPathMessage): Buffer => {
    switch (message.type) {
      case 'SHUT':
        return writer.shut(message.value);
      case 'PONG':
        return writer.pong(message.value);
      case 'REQ_PAGES':
      case 'REQ_PAGES_ID':
        return writer.requestPages(message.block, message.start, message.length);
      case 'RECV_BITMAP':
        return writer.receivedBitmap(message.block, DirtyBitmap.fromWire(message.bitmap, message.bitmap.length * 8));
      case 'RESUME_ACK':
        return writer.resumeAck(message.value);
      default:
        return writer.switchoverAck();
    }
  };
  return Buffer.concat(messages.map(write));
}

describe('return path (stream-format.md §8)', () => {
  for (const entry of recordings.filter(({ type }) => type === 'rp')) {
    it(`${entry.file} is read to its end and written again`, () => {
      const bytes = vector(entry.file);
      for (const piece of [1, 5, 1000]) {
        const { messages, error } = read(entry.qemu.startsWith('3') ? '3.0' : '7.2', bytes, {}, piece);
        expect(error).to.equal('');
        expect(messages.map(({ type }) => type)).to.deep.equal(entry.messages);
        expect(rewrite(messages).equals(bytes)).to.equal(true);
      }
    });
  }

  const request = (start: number, length: number, name?: string): Buffer => {
    const payload = Buffer.alloc(name === undefined ? 12 : 13);
    payload.writeBigUInt64BE(BigInt(start));
    payload.writeUInt32BE(length, 8);
    if (name === undefined) return returnPathMessage(4, payload);
    payload[12] = name.length;
    return returnPathMessage(3, Buffer.concat([payload, Buffer.from(name)]));
  };
  const bitmap = (name: string): Buffer =>
    returnPathMessage(5, Buffer.concat([Buffer.from([name.length]), Buffer.from(name)]));
  /** Text in 3.0 and 7.2; in 10.0 the same without `RP: ` unless given. */
  const rows: [string, Buffer, string, string?][] = [
    ['type 0', hex('00000000'), 'RP: Received invalid message 0x0000 length 0x0000'],
    ['an unknown type', hex('00090002 0000'), 'RP: Received invalid message 0x0009 length 0x0002'],
    ['a wrong length', hex('00010000'), "RP: Received 'SHUT' message (0x0001) withincorrect length 0 expecting 4"],
    [
      'a length above 512',
      hex('00030201'),
      "RP: Received 'REQ_PAGES_ID' message (0x0003) withincorrect length 513 expecting 18446744073709551615",
    ],
    ['a cut payload', hex('00010004 00'), 'RP: Failed reading data for message 0x0001 read 1 expected 4'],
    ['SHUT 1', hex('00010004 00000001'), 'RP: Sibling indicated error 1'],
    ['SHUT -1', hex('00010004 ffffffff'), 'RP: Sibling indicated error -1'],
    [
      'REQ_PAGES first',
      request(0, 4096),
      'ram_save_queue_pages no previous block',
      'MIG_RP_MSG_REQ_PAGES has no previous block',
    ],
    [
      'an unknown block',
      request(0, 4096, 'foo'),
      "ram_save_queue_pages no block 'foo'",
      "MIG_RP_MSG_REQ_PAGES has no block 'foo'",
    ],
    [
      'a misaligned start',
      request(0x64, 4096, 'ram'),
      'migrate_handle_rp_req_pages: Misaligned page request, start: 64 len: 4096',
      'MIG_RP_MSG_REQ_PAGES: Misaligned page request, start:64 len: 4096',
    ],
    [
      'beyond the block',
      request(0x200000, 0x1000, 'ram'),
      'ram_save_queue_pages request overrun start=200000 len=1000 blocklen=200000',
      'MIG_RP_MSG_REQ_PAGES request overrun start=200000 len=1000 blocklen=200000',
    ],
    [
      'a name that does not fit',
      returnPathMessage(3, Buffer.concat([Buffer.alloc(12), hex('08 72616d')])),
      'RP: Req_Page_id with length 16 expecting 21',
    ],
    [
      'RECV_BITMAP without recovery',
      bitmap('ram'),
      'ram_dirty_bitmap_reload: incorrect state active',
      'Reload bitmap in incorrect state active',
    ],
    ['RECV_BITMAP without a name', hex('00050000'), 'source_return_path_thread: missing block name'],
    ['RECV_BITMAP of an unknown block', bitmap('foo'), "migrate_handle_rp_recv_bitmap: invalid block name 'foo'"],
    [
      'RESUME_ACK 2',
      hex('00060004 00000002'),
      'migrate_handle_rp_resume_ack: illegal resume_ack value 2',
      'illegal resume_ack value 2',
    ],
  ];
  for (const [name, bytes, old, later] of rows) {
    it(`refuses ${name}`, () => {
      for (const dialect of ['3.0', '7.2', '10.0'] as const) {
        const expected = dialect === '10.0' ? (later ?? old.replace('RP: ', '')) : old;
        for (const piece of [1, 1000]) expect(read(dialect, bytes, policy, piece).error, dialect).to.equal(expected);
      }
    });
  }

  it('length 0 and SWITCHOVER_ACK are dialect matters', () => {
    expect(read('3.0', request(0, 0, 'ram'), policy).error).to.equal('');
    expect(read('7.2', request(0, 0, 'ram'), policy).error).to.match(/request overrun start=0 len=0/);
    expect(read('10.0', hex('00070000'), policy).messages).to.deep.equal([{ type: 'SWITCHOVER_ACK' }]);
    expect(read('7.2', hex('00070000'), policy).error).to.match(/invalid message 0x0007/);
  });

  it('checks a received bitmap', () => {
    const recovering: ReturnPathPolicy = { ...policy, recovering: () => ({ ok: true, status: 'postcopy-recover' }) };
    const received = new DirtyBitmap(512);
    received.setRange(3, 77);
    const good = new ReturnPathWriter().receivedBitmap('ram', received);
    const { messages, error } = read('7.2', good, recovering, 3);
    expect(error).to.equal('');
    expect(messages).to.deep.equal([{ type: 'RECV_BITMAP', block: 'ram', bitmap: received.toWire() }]);
    const wrongMark = Buffer.from(good);
    wrongMark[wrongMark.length - 1] = 0;
    expect(read('7.2', wrongMark, recovering).error).to.match(/end mark incorrect: 0x123456789abcd00/);
    const wrongSize = new ReturnPathWriter().receivedBitmap('ram', new DirtyBitmap(100));
    expect(read('7.2', wrongSize, recovering).error).to.match(/'ram' bitmap size mismatch \(0x10 != 0x40\)/);
    expect(read('7.2', good.subarray(0, 50), recovering).error).to.match(/read bitmap failed for ramblock/);
  });
});
