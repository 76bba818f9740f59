/** Everything that a simulated run lives in, made from one number. */
import type { StageWorld } from '../oracle/execute.js';
import { ConnectionNumbers } from '../protocol/session.js';
import type { World } from '../targets/in-process/world.js';
import { engineNetwork, peerNetwork } from './network.js';
import { Random } from './random.js';
import { Scheduler } from './scheduler.js';
import { Switchboard } from './switchboard.js';

/** Guest RAM where a start does not say, in bytes: enough for several pages and sections, little to copy. */
const memory = 384 * 1024;
/** Bytes that stand for a MiB of an image. */
const imageUnit = 64 * 1024;
/** Wall-clock time at which every run begins, ISO 8601. */
const began = '2018-08-14T00:00:00.000Z';

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

  /** @param sized guest RAM has the size that is asked for: streams that we feed speak of it */
  constructor(seed: number, sized = true) {
    const scheduler = new Scheduler(new Random(seed));
    const board = new Switchboard(scheduler.lane);
    const start = BigInt(Date.parse(began)) * 1000n;
    let folders = 0;
    this.scheduler = scheduler;
    this.target = {
      clock: scheduler,
      carrier: scheduler.lane,
      scratch: () => ({ path: `simulation/${++folders}`, remove: () => undefined }),
      network: engineNetwork(board),
      wallClock: () => start + BigInt(Math.round(scheduler.now() * 1000)),
      readImage: (file) => imageOf(Number(file.replace(/^.*-/, ''))),
      memory: (asked) => (sized && asked !== undefined ? asked * 2 ** 20 : memory),
      numbers: new ConnectionNumbers(),
    };
    this.stage = {
      clock: scheduler,
      network: peerNetwork(board),
      image: (mib) => `image-${mib}`,
      folder: () => ({ path: `simulation/${++folders}`, remove: () => undefined }),
      began,
    };
  }
}
