/** `qmpspec stream make`: a migration that loads a RAM image into an empty machine. */
import { pageSize } from '../../reference/ram/guest-ram.js';
import { UsageError } from '../failures.js';
import type { Io } from '../io.js';
import { Answers } from './make/answers.js';
import { Image } from './make/image.js';
import { Maker } from './make/maker.js';
import { channelName, Output } from './make/outputs.js';
import { type MakeOptions, type Plan, planOf } from './make/plan.js';
import { Progress } from './progress.js';

export type { MakeOptions } from './make/plan.js';

/** @throws UsageError */
export async function make(name: string, options: MakeOptions, io: Io): Promise<void> {
  const plan = planOf(options);
  const images: Image[] = [];
  const outputs: Output[] = [];
  try {
    const image = await opened(Image.open(name), images);
    const before = options.before === undefined ? undefined : await opened(Image.open(options.before), images);
    const size = sizeOf(images, options.size);
    const main = await opened(Output.open(options.out), outputs);
    const answers =
      plan.returnPath && main.socket !== undefined
        ? new Answers(main.name, main.socket, plan.dialect.stream)
        : undefined;
    for (let channel = 0; channel < (plan.multifd?.channels ?? 0); channel++) {
      await opened(Output.open(channelName(options.out, channel)), outputs);
    }
    const progress = new Progress('writing', size * passes(plan, before), io);
    try {
      const [, ...channels] = outputs;
      const parts = { plan, main, channels, image, before, size, progress: (bytes: number) => progress.add(bytes) };
      await new Maker(parts).write();
      await answers?.loaded();
      for (const output of outputs) await output.end();
    } finally {
      progress.clear();
    }
  } finally {
    for (const image of images) await image.close();
    for (const output of outputs) output.destroy();
  }
}

async function opened<T>(opening: Promise<T>, list: T[]): Promise<T> {
  const one = await opening;
  list.push(one);
  return one;
}

const passes = ({ switchAt }: Plan, before: Image | undefined): number =>
  before === undefined && switchAt === undefined ? 1 : 1 + (switchAt ?? 1);

function sizeOf(images: readonly Image[], wanted: number | undefined): number {
  const largest = images.reduce((most, image) => (image.bytes > most.bytes ? image : most));
  const size = wanted ?? Math.max(pageSize, Math.ceil(largest.bytes / pageSize) * pageSize);
  if (size >= largest.bytes && size % pageSize === 0) return size;
  const hold = `hold the ${largest.bytes} bytes of ${largest.name}`;
  throw new UsageError(`--size ${size} must be a multiple of ${pageSize} and ${hold}`);
}
