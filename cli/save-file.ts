/** Writes a file that somebody named: `--save FILE` and the like. */
import { writeFileSync } from 'node:fs';
import { StorageError } from '../campaign/folder.js';

/** @param flag `wx` where a file that is there must stay. @throws StorageError */
export function saveFile(path: string, content: string, flag: 'w' | 'wx' = 'w'): void {
  try {
    writeFileSync(path, content, { flag });
  } catch (error) {
    throw new StorageError(path, content, error);
  }
}
