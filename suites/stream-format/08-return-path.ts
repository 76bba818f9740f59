/** stream-format.md §8: what a source does with messages on the return path. */

import { hasDefect } from '../../oracle/release.js';
import type { Trial } from '../../oracle/trial.js';
import { ReturnPathWriter, returnPathMessage } from '../../reference/stream/return-path-writer.js';
import { fitsExactly, unlessExact } from '../commands/dialect-fit.js';
import { ChapterBuilder } from '../requirement.js';
import { Captured, captureNeeds, ramBytes } from './capture.js';

const writer = new ReturnPathWriter();
const word = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
/** A page request; with a name, REQ_PAGES_ID. */
function request(start: number, length: number, name?: string): Buffer {
  const payload = Buffer.alloc(name === undefined ? 12 : 13 + name.length);
  payload.writeBigUInt64BE(BigInt(start));
  payload.writeUInt32BE(length, 8);
  if (name !== undefined) {
    payload[12] = name.length;
    payload.write(name, 13, 'latin1');
  }
  return returnPathMessage(name === undefined ? 4 : 3, payload);
}

/** A source that has sent everything and waits for the last message. */
async function waiting(t: Trial): Promise<Captured> {
  const one = await Captured.open(t, { image: null, behaviour: 'silent', capabilities: ['return-path'] });
  await one.migrates();
  await one.peer.until('end-of-stream', one.session.deadline);
  await one.session.fence();
  return one;
}

/** Messages that end a migration badly: name, what is wrong, bytes, the text. */
const bad: readonly (readonly [string, string, Buffer, RegExp])[] = [
  ['01.zero', 'type 0', returnPathMessage(0, Buffer.alloc(0)), /Received invalid message 0x0000 length 0x0000/],
  ['01.unknown', 'an unknown type', returnPathMessage(99, Buffer.alloc(0)), /Received invalid message 0x0063/],
  [
    '02.shut',
    'a SHUT without a value',
    returnPathMessage(1, Buffer.alloc(0)),
    /'SHUT' message .* length 0 expecting 4/,
  ],
  ['02.pong', 'a PONG of 8 bytes', returnPathMessage(2, Buffer.alloc(8)), /'PONG' message .* length 8 expecting 4/],
  ['02.long', 'a payload of more than 512 bytes', returnPathMessage(3, Buffer.alloc(513)), /length 513 expecting/],
  ['04.one', 'a SHUT with 1', writer.shut(1), /Sibling indicated error 1/],
  ['04.negative', 'a SHUT with a negative number', writer.shut(0xfffffffb), /Sibling indicated error -5/],
  ['05', 'a page request that names no block, with none before it', request(0, 4096), /no previous block/],
  ['06', 'a page request of an unknown block', request(0, 4096, 'foo'), /no block 'foo'/],
  ['07.start', 'a page request that begins inside a page', request(100, 4096, 'ram'), /Misaligned page request/],
  ['07.length', 'a page request of half a page', request(0, 2048, 'ram'), /Misaligned page request/],
  ['08', 'a page request behind the block', request(ramBytes, 4096, 'ram'), /request overrun/],
  [
    '10',
    'a page request whose name is longer than the message',
    returnPathMessage(3, Buffer.concat([Buffer.alloc(12), Buffer.from([8]), Buffer.from('ram')])),
    /Req_Page_id with length 16 expecting 21/,
  ],
  [
    '11',
    'a received bitmap outside a recovery',
    returnPathMessage(5, Buffer.from('\x03ram', 'latin1')),
    /incorrect state/,
  ],
  ['12.none', 'a received bitmap without a name', returnPathMessage(5, Buffer.alloc(0)), /missing block name/],
  [
    '12.unknown',
    'a received bitmap of an unknown block',
    returnPathMessage(5, Buffer.from('\x03foo', 'latin1')),
    /invalid block name 'foo'/,
  ],
  ['13', 'an acknowledgement with another value than 1', returnPathMessage(6, word(2)), /illegal resume_ack value 2/],
];

const builder = new ChapterBuilder(['Migration stream', '8 Return path'], 'stream-format.md §8', {
  ...captureNeeds,
  capabilities: ['return-path'],
});

for (const [id, what, bytes, line] of bad) {
  builder.must(
    `MIG-STR-RP-${id}`,
    `${what} on the return path fails the migration, and the guest goes on`,
    async (t) => {
      const one = await waiting(t);
      one.turn();
      one.peer.message(bytes);
      await one.until('failed');
      await one.runs('running');
      if (t.strictDesc)
        t.check(line.test(one.instance.stderr), `${line} on standard error`, one.instance.stderr.trim());
    },
  );
}

export const returnPath = builder
  .must('MIG-STR-RP-03', 'a message that is cut by the end of the connection fails the migration', async (t) => {
    const one = await waiting(t);
    if (hasDefect(t.facts, 'MIG-DEF-03')) return t.knownDefect('MIG-DEF-03', 'failed', 'it waits for ever');
    one.turn();
    one.peer.message(writer.shut(0).subarray(0, 5));
    one.peer.cut();
    await one.until('failed');
    await one.runs('running');
  })
  .must(
    'MIG-STR-RP-09',
    'a page request of no bytes is an error in releases that say so',
    async (t) => {
      const one = await waiting(t);
      one.turn();
      one.peer.message(request(0, 0, 'ram'));
      if (t.dialect.stream.emptyRequests) {
        one.peer.message(writer.shut(0));
        await one.until('completed');
        await one.runs('postmigrate');
      } else {
        await one.until('failed');
        await one.runs('running');
      }
      t.check(true, 'an end', 'an end');
    },
    { needs: { unless: unlessExact } },
  )
  .must('MIG-STR-RP-20', 'the source waits for the last message, and any PONG before it is no matter', async (t) => {
    const one = await waiting(t);
    one.turn();
    for (const value of [1, 77, 0xffffffff]) one.peer.message(writer.pong(value));
    one.peer.message(returnPathMessage(6, word(1)));
    await one.session.fence();
    const { deviceAlways } = t.dialect.migration;
    await one.statusIs(...(fitsExactly(t.facts) ? [deviceAlways ? 'device' : 'active'] : ['active', 'device']));
    await one.runStateIs('finish-migrate');
    one.peer.message(writer.shut(0));
    await one.until('completed');
    await one.runs('postmigrate');
    one.carries(one.recording());
  })
  .must('MIG-STR-RP-21', 'messages may come in pieces', async (t) => {
    const one = await waiting(t);
    const bytes = Buffer.concat([writer.pong(1), writer.shut(0)]);
    for (let at = 0; at < bytes.length; at++) one.peer.message(bytes.subarray(at, at + 1));
    await one.until('completed');
    await one.runs('postmigrate');
    t.check(true, 'completed', 'completed');
  })
  .info('MIG-STR-RP-22', 'a SHUT 0 before everything was sent ends the migration where it always has', async (t) => {
    const one = await Captured.open(t, {
      behaviour: 'silent',
      capabilities: ['return-path'],
      parameters: { 'max-bandwidth': 4096 },
    });
    await one.migrates();
    await one.until('active');
    await one.peer.until('announced', one.session.deadline);
    one.turn();
    one.peer.message(writer.shut(0));
    if (fitsExactly(t.facts) && t.dialect.migration.returnPathErrorsLate) await one.statusIs('active');
    else await one.until('failed');
    t.check(true, 'an end', 'an end');
  })
  .done();
