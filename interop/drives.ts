import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject, JsonValue } from '../protocol/json.js';
import type { Cell } from './cells.js';
import type { Machine } from './machine.js';

/** Drives of both machines, for the modes that migrate them. */
export interface Drives {
  readonly arguments: { readonly source: readonly string[]; readonly destination: readonly string[] };
  prepare?(source: Machine): Promise<void>;
  /** @throws Error when the destination has not what the source had */
  check(source: Machine, destination: Machine): Promise<void>;
}

const wholeMiB = 3 * 1024 * 1024;
/** No whole number of chunks: the last one is padded. A real 7.2 cannot load such a disk, though it sends it. */
const oddBytes = wholeMiB + 512 * 7;

/** The drives that a cell's mode needs; undefined for none. */
export function drivesFor({ mode, source, destination }: Cell, folder: string): Drives | undefined {
  const used = source !== 'reference' && destination !== 'reference';
  if (mode.drives === 'block')
    return wholeDisk(folder, used ? ['-machine', 'microvm', '-device', 'virtio-blk-device,drive=d0'] : []);
  return mode.drives === 'bitmaps' ? bitmaps(folder) : undefined;
}

/** A disk whose contents travel with the guest. */
function wholeDisk(folder: string, device: readonly string[]): Drives {
  const disk = (name: string) => join(folder, `${name}.raw`);
  const diskBytes = device.length > 0 ? wholeMiB : oddBytes;
  const contents = Buffer.alloc(diskBytes);
  contents.fill('what a disk may hold. ', 0, 1_000_000);
  contents.fill('its last bytes', diskBytes - 512);
  writeFileSync(disk('source'), contents);
  writeFileSync(disk('destination'), Buffer.alloc(diskBytes));
  const drive = (name: string) => ['-drive', `id=d0,file=${disk(name)},format=raw,if=none`, ...device];
  return {
    // A guest that runs on at the destination would write to what is compared.
    arguments: { source: drive('source'), destination: [...drive('destination'), '-S'] },
    check: async (_source, destination) => {
      // What the destination still holds back reaches the file when it ends its machine.
      await destination.execute('quit');
      await destination.instance.exited(10_000);
      const sums = ['source', 'destination'].map((name) =>
        createHash('sha256')
          .update(readFileSync(disk(name)))
          .digest('hex'),
      );
      if (sums[0] !== sums[1]) throw new Error('the disks differ');
    },
  };
}

/** A disk that both machines reach, of which bitmaps say what has been written. */
function bitmaps(folder: string): Drives {
  const file = (name: string) => {
    const path = join(folder, `${name}.raw`);
    writeFileSync(path, Buffer.alloc(oddBytes));
    return ['-blockdev', `driver=file,node-name=d0,filename=${path}`];
  };
  return {
    arguments: { source: file('source'), destination: file('destination') },
    prepare: async (source) => {
      await source.execute('block-dirty-bitmap-add', { node: 'd0', name: 'b0', granularity: 65536 });
      await source.execute('block-dirty-bitmap-add', { node: 'd0', name: 'b1', granularity: 4096 });
      await source.execute('human-monitor-command', { 'command-line': 'qemu-io d0 "write 128k 70000"' });
    },
    check: async (source, destination) => {
      const [sent, loaded] = [await known(source), await known(destination)];
      if (sent !== loaded) throw new Error(`the bitmaps differ: ${sent} was sent, ${loaded} is there`);
      if (!sent.includes('"b0"')) throw new Error(`the source has no bitmap: ${sent}`);
    },
  };
}

/** What a machine says of its bitmaps. */
async function known(machine: Machine): Promise<string> {
  if (machine.isReference) {
    const text = await machine.execute('human-monitor-command', { 'command-line': 'info dirty-bitmaps' });
    const lines = String(text).trim().split(/\r?\n/);
    return JSON.stringify(
      lines
        .map((line) =>
          line
            .split(' ')
            .slice(1)
            .map((word, at) => (at === 0 ? word : Number(word))),
        )
        .sort(),
    );
  }
  const nodes = (await machine.execute('query-named-block-nodes')) as readonly JsonObject[];
  const node = nodes.find(({ 'node-name': name }) => name === 'd0');
  const list = (node?.['dirty-bitmaps'] ?? []) as readonly JsonObject[];
  const lines = list.map(({ name, granularity, count }): JsonValue[] => [name ?? '', granularity ?? 0, count ?? 0]);
  return JSON.stringify(lines.sort());
}
