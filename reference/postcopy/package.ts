import type { StreamWriter } from '../stream/stream-writer.js';

/** Values of the pings around and inside the package (stream-format.md §4): the answers tell how far a destination has come. */
const packagePing = { before: 2, inside: 3, behind: 4 } as const;

/**
 * What a destination must have read as a whole before its guest runs, with a ping before and behind it: the devices, between
 * the commands to listen and to run (stream-format.md §9.1).
 * @param inner writes the package: no bytes of its own may be pending
 * @param devices writes the FULL sections to `inner`
 */
export function writePackage(writer: StreamWriter, inner: StreamWriter, devices: () => void): void {
  writer.ping(packagePing.before);
  inner.command('POSTCOPY_LISTEN');
  devices();
  inner.ping(packagePing.inside);
  inner.command('POSTCOPY_RUN');
  writer.packaged(inner.out.takeJoined());
  writer.ping(packagePing.behind);
}
