/** Why a file that somebody named could not be read or written. */

const either: Readonly<Record<string, string>> = {
  EISDIR: 'it is a folder, and a file is needed',
  ENOTDIR: 'what stands before its name is no folder',
  ELOOP: 'its links lead round in a circle',
};

const reading: Readonly<Record<string, string>> = {
  ...either,
  ENOENT: 'there is no such file',
  EACCES: 'it is not ours to read',
  EPERM: 'it is not ours to read',
};

const writing: Readonly<Record<string, string>> = {
  ...either,
  ENOENT: 'there is no such folder',
  EACCES: 'it is not ours to write',
  EPERM: 'it is not ours to write',
  EROFS: 'nothing can be written there',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
  EFBIG: 'it would become too large',
};

/** In words, without the name of the file; what a file system did not say stays as it was said. */
export const whyUnreadable = (error: unknown): string => inWords(error, reading);

/** The same of a file that could not be made or written. */
export const whyUnwritable = (error: unknown): string => inWords(error, writing);

function inWords(error: unknown, reasons: Readonly<Record<string, string>>): string {
  if (!(error instanceof Error)) return String(error);
  const { code = '', syscall } = error as NodeJS.ErrnoException;
  return reasons[code] ?? (syscall === undefined ? error.message : (error.message.split(',', 1)[0] as string));
}
