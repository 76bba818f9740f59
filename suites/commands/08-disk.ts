/** commands.md §8.5: the figures of disks that are migrated with the machine. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Trial } from '../../oracle/trial.js';
import { isObject } from '../../protocol/json.js';
import type { Received } from '../../protocol/message.js';
import { slow, someRam, source } from '../state-machine/source.js';

export const diskNeeds = { abilities: ['start', 'arguments', 'local'], members: ['migrate.blk'] } as const;

const size = 2 ** 20;

/** Bytes of the disks that a machine has besides: its figures are those of all. */
function sizeOfOthers({ value }: Received): number {
  const disks = isObject(value) && Array.isArray(value.return) ? value.return.filter(isObject) : [];
  return disks.reduce((sum, { device, inserted }) => {
    if (device === 'disk' || !isObject(inserted) || inserted.ro === true) return sum;
    return sum + (isObject(inserted.image) ? Number(inserted.image['virtual-size']) : 0);
  }, 0);
}

/** Migrates a machine with one disk, slowly, and looks. */
export async function showsDisk(t: Trial): Promise<void> {
  const { scratch } = await t.instance();
  const file = join(scratch, 'disk.img');
  await writeFile(file, Buffer.alloc(size, 1));
  const one = await source(t, 'answer', {
    ram: someRam,
    parameters: { 'max-bandwidth': slow },
    start: { extra: ['-drive', `file=${file},format=raw,if=none,id=disk`] },
  });
  const more = sizeOfOthers(await one.session.command('query-block'));
  await one.migrate({ blk: true });
  await one.until('active');
  const { disk, ram } = await one.info();
  t.members(disk, isObject(ram) ? Object.keys(ram) : [], [], 'disk');
  const { total, transferred, remaining, ...others } = isObject(disk) ? disk : {};
  t.equal(total, size + more, 'total');
  t.equal(Number(transferred) + Number(remaining), size + more, 'transferred and remaining');
  for (const [name, value] of Object.entries(others)) t.equal(value, 0, name);
  await one.does('migrate_cancel');
  await one.until('cancelled', 'failed');
  t.returned('query-migrate', await one.info(), ['status'], ['error-desc'], 'when it is over');
}
