import { expect } from 'chai';
import fc from 'fast-check';
import type { ByteStream } from '../../../protocol/byte-stream.js';
import { type Carrier, PipeEnd } from '../../../targets/in-process/pipe.js';
import { StreamPipeEnd } from './stream-pipe.js';

/** What is done to one end of a connection, or to what is on its way. */
type Act =
  | { readonly what: 'write'; readonly end: 0 | 1; readonly bytes: number }
  | { readonly what: 'cork' | 'uncork' | 'pause' | 'resume' | 'end' | 'destroy'; readonly end: 0 | 1 }
  | { readonly what: 'move'; readonly lane: number };

const end = fc.constantFrom(0 as const, 1 as const);
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant('move' as const), lane: fc.nat(1) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      what: fc.constant('write' as const),
      end,
      bytes: fc.constantFrom(1, 7, 5000, 90_000, 200_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constantFrom('cork' as const, 'uncork' as const, 'pause' as const, 'resume' as const),
      end,
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom('end' as const, 'destroy' as const), end }) },
);

type Pair = (carrier: Carrier, halfOpen: boolean) => readonly [ByteStream, ByteStream];

/** Everything that a connection tells while it is treated so, in its order; each act sees the end of what the last one set going. */
async function story(pair: Pair, halfOpen: boolean, acts: readonly Act[]): Promise<string[]> {
  const told: string[] = [];
  const lanes: (() => void)[][] = [];
  const carrier: Carrier = () => {
    const queue: (() => void)[] = [];
    lanes.push(queue);
    return (arrival) => void queue.push(arrival);
  };
  const ends = pair(carrier, halfOpen);
  for (const [name, one] of ends.entries()) {
    one.on('data', (chunk) => void told.push(`${name} data ${chunk.length} ${chunk[0]}`));
    one.on('error', (error) => void told.push(`${name} error ${error.message}`));
    for (const event of ['end', 'close', 'drain'] as const) one.on(event, () => void told.push(`${name} ${event}`));
  }
  const move = (lane: number) => {
    const arrival = lanes[lane]?.shift();
    if (arrival !== undefined) told.push(`move ${lane}`);
    arrival?.();
    return arrival !== undefined;
  };
  let number = 0;
  for (const one of acts) {
    if (one.what === 'move') move(one.lane);
    else {
      const stream = ends[one.end];
      told.push(`${one.what} ${one.end} ${stream.writable} ${stream.destroyed} ${stream.writableFinished}`);
      if (one.what === 'end') stream.end(() => void told.push(`${one.end} has ended`));
      else if (one.what !== 'write') stream[one.what]();
      // Nobody here writes to what cannot be written to.
      else if (stream.writable) {
        const mine = ++number;
        const free = stream.write(Buffer.alloc(one.bytes, mine), (error) => {
          told.push(`written ${mine} ${error?.message ?? 'well'}`);
        });
        told.push(`write ${mine} ${free}`);
      }
    }
    await new Promise(setImmediate);
  }
  for (let moved = true; moved; await new Promise(setImmediate)) moved = [0, 1].filter(move).length > 0;
  return told;
}

describe('a connection in memory', () => {
  it("tells the same in the same order as one out of node's streams, whatever is done to it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(act, { maxLength: 40 }), async (halfOpen, acts) => {
        const ours = await story((...args) => PipeEnd.pair(...args), halfOpen, acts);
        const theirs = await story((...args) => StreamPipeEnd.pair(...args), halfOpen, acts);
        expect(ours).to.deep.equal(theirs);
      }),
      { numRuns: 200 },
    );
  });

  it('has bytes of its own: who has written them may use the buffer again', async () => {
    const queue: (() => void)[] = [];
    const [one, two] = PipeEnd.pair(() => (arrival) => void queue.push(arrival));
    const got: string[] = [];
    two.on('data', (chunk: Buffer) => void got.push(chunk.toString()));
    await new Promise(setImmediate);
    const bytes = Buffer.from('before');
    one.write(bytes);
    bytes.fill('x');
    queue.shift()?.();
    expect(got).to.deep.equal(['before']);
  });

  it('refuses what is written after the end', async () => {
    const [one] = PipeEnd.pair(() => () => undefined);
    const errors: string[] = [];
    one.on('error', (error: Error) => void errors.push(error.message));
    one.end();
    expect(one.writable).to.equal(false);
    one.write('more', (error) => void errors.push(`told ${error?.message}`));
    await new Promise(setImmediate);
    expect(errors).to.deep.equal(['told write after end', 'write after end']);
  });
});
