/** Where everything that a run makes on the way lives: one folder, whose path needs no quoting anywhere. */
import { mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { whyUnwritable } from './file-errors.js';

/** No folder could be made: what is wrong with the one for temporary files stands in the message. */
export class ScratchError extends Error {
  override readonly name = 'ScratchError';
}

const usual = '/tmp';

/** A unix socket's path has at most 107 bytes; ours need up to 40 after the folder for temporary files. */
const longest = 67;

/** Letters that mean nothing to the options of a QEMU (a comma ends one), nor to a shell or an address of a migration. */
const plain = /^[\w./+@~ -]*$/;

/** The folder for temporary files, or the usual one where its path could not stand in addresses and options. */
export function temporaryFolder(): string {
  // A target runs in a folder of its own, where a relative path would lead elsewhere.
  const folder = resolve(tmpdir());
  return plain.test(folder) && Buffer.byteLength(folder) <= longest ? folder : usual;
}

/** Makes the folder of a run. @throws ScratchError */
export function makeScratchRoot(folder = temporaryFolder()): string {
  try {
    return mkdtempSync(join(folder, 'qmpspec-'));
  } catch (error) {
    const why =
      {
        ENOENT: 'there is no such folder, or nothing can be made there',
        ENOTDIR: 'it is no folder',
      }[(error as NodeJS.ErrnoException).code ?? ''] ?? whyUnwritable(error);
    throw new ScratchError(`no folder for temporary files can be made in ${folder}: ${why} (TMPDIR names another one)`);
  }
}

const noRoom: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT']);

/** Bytes: with less than this nothing is sure that writes files, be it ours or the target. */
const leastRoom = 2 ** 20;

/**
 * Says that what went wrong may have done so for want of room on the disk: the error tells it, or there is next to none left.
 * @param folder where the run writes; @param free how many bytes there are for it
 */
export function noRoomLeft(error: unknown, folder: string, free = bytesFree(folder)): string | undefined {
  const { code, path = folder } = (error ?? {}) as NodeJS.ErrnoException;
  if (!noRoom.has(code) && free >= leastRoom) return undefined;
  const why = noRoom.has(code) ? whyUnwritable(error) : 'the disk is full';
  return `${why}: there is no room for ${path} (TMPDIR names another folder)`;
}

function bytesFree(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return Infinity;
  }
}
