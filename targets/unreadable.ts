/** Why a file that somebody named could not be read. */

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder, and a file is needed',
  ENOTDIR: 'what stands before its name is no folder',
  EACCES: 'it is not ours to read',
  EPERM: 'it is not ours to read',
  ELOOP: 'its links lead round in a circle',
};

/** In words, without the name of the file; what a file system did not say stays as it was said. */
export function whyUnreadable(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code = '', syscall } = error as NodeJS.ErrnoException;
  return reasons[code] ?? (syscall === undefined ? error.message : (error.message.split(',', 1)[0] as string));
}
