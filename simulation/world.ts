/** Everything that a simulated run lives in, made from one number. */
import type { StageWorld } from '../oracle/execute.js';
import { ConnectionNumbers } from '../protocol/session.js';
import { createRamMemory, type RamMemory } from '../reference/ram/ram-memory.js';
import type { World } from '../targets/in-process/world.js';
import { engineNetwork, peerNetwork } from './network.js';
import { Random } from './random.js';
import { Scheduler } from './scheduler.js';
import { Switchboard } from './switchboard.js';

/** Guest RAM of every machine, in bytes, whatever is asked for: enough for several pages and sections, little to copy. */
const memory = 384 * 1024;
/** Bytes that stand for a MiB of an image. */
const imageUnit = 64 * 1024;
/** Wall-clock time at which every run begins, ISO 8601. */
const began = '2018-08-14T00:00:00.000Z';

/** Memory that no run uses, zero-filled. To make one costs as much as a short run. */
const idle: RamMemory[] = [];

const images = new Map<number, Buffer>();

/** Contents without a zero page, the same at each call. */
function imageOf(mib: number): Buffer {
  const known = images.get(mib);
  if (known !== undefined) return known;
  const image = Buffer.alloc(Math.min(memory, mib * imageUnit));
  const random = new Random(mib);
  for (let at = 0; at < image.length; at += 4) image.writeUInt32LE(random.below(2 ** 32), at);
  images.set(mib, image);
  return image;
}

export class SimulatedWorld {
  readonly scheduler: Scheduler;
  readonly target: World;
  readonly stage: StageWorld;

  private readonly lent: RamMemory[] = [];
  /** An image was loaded, or somebody may have been sent pages: only so is anything in the RAM of these guests. */
  private written = false;

  constructor(seed: number) {
    const scheduler = new Scheduler(new Random(seed));
    const board = new Switchboard(scheduler.lane, () => {
      this.written = true;
    });
    const start = BigInt(Date.parse(began)) * 1000n;
    let folders = 0;
    this.scheduler = scheduler;
    this.target = {
      clock: scheduler,
      carrier: scheduler.lane,
      scratch: () => ({ path: `/simulation/${++folders}`, remove: () => undefined }),
      network: engineNetwork(board),
      wallClock: () => start + BigInt(Math.round(scheduler.now() * 1000)),
      readImage: (file) => {
        this.written = true;
        return imageOf(Number(file.replace(/^.*-/, '')));
      },
      memory: () => memory,
      ramMemory: (total) => this.lend(total),
      numbers: new ConnectionNumbers(),
    };
    this.stage = {
      clock: scheduler,
      network: peerNetwork(board),
      fedRam: memory,
      image: (mib) => `image-${mib}`,
      contents: (image) => imageOf(Number(image.replace(/^.*-/, ''))),
      folder: () => ({ path: `/simulation/${++folders}`, remove: () => undefined }),
      began,
      // Waiting takes no time here: whoever asks again and again for what never comes only costs messages.
      pauses: { growth: 8, longest: Number.POSITIVE_INFINITY },
    };
  }

  /** To be called when the run is over: the memory of its guests goes to later runs. */
  end(): void {
    for (const one of this.lent.splice(0)) {
      if (this.written) one.bytes.fill(0, 0, memory);
      // A monitor that was killed has not done so.
      one.giveBackOutput();
      idle.push(one);
    }
  }

  private lend(total: number): RamMemory | undefined {
    const one = (total === memory ? idle.pop() : undefined) ?? createRamMemory(total);
    if (one !== undefined && total === memory) this.lent.push(one);
    return one;
  }
}
