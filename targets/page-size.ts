/** Size of the pages that a target's stream is made of. Peers and streams of ours know that of x86 only. */
import { Disconnected } from '../protocol/errors.js';
import { isObject } from '../protocol/json.js';
import type { Session } from '../protocol/session.js';
import type { Target } from './target.js';

/** Bytes of a page of x86, and of most other machines (stream-format.md §5). */
export const usualPageSize = 4096;

/** Machines whose pages are, or without a processor may be, of another size; of all others it is known. */
const unusual = new Set('aarch64 alpha arm avr cris loongarch64 or1k sparc sparc64 tricore'.split(' '));

/** Bytes of the pages of those whose pages are larger than the usual ones, where a migration is not survived (MIG-DEF-53). */
const larger: Readonly<Record<string, number>> = {
  alpha: 8192,
  cris: 8192,
  loongarch64: 16384,
  or1k: 8192,
  sparc64: 8192,
  tricore: 16384,
};

/** The machine that a target is, by `query-target`; `undefined` where it does not say. */
export async function archOf(session: Session): Promise<string | undefined> {
  const reply = await session.command('query-target');
  const value = isObject(reply.value) ? reply.value.return : undefined;
  return isObject(value) && typeof value.arch === 'string' ? value.arch : undefined;
}

/**
 * Bytes of a page as `query-migrate` has it after a migration of an instance that is started for it. Asked of machines alone
 * of which it is not known: elsewhere what a target says of its pages is judged, and not believed.
 */
export async function pageSizeOf(target: Target, arch: string | undefined): Promise<number> {
  if (arch === undefined || !unusual.has(arch) || target.lacks('start') !== undefined) return usualPageSize;
  const instance = await target.start();
  try {
    const session = await instance.connect();
    await session.negotiate();
    await session.command('migrate', { uri: 'exec:cat >/dev/null' });
    const ends = session.patience();
    while (!ends.passed) {
      const { value } = await session.command('query-migrate');
      const info = isObject(value) && isObject(value.return) ? value.return : {};
      const ended = info.status !== 'setup' && info.status !== 'active' && info.status !== 'device';
      const size = isObject(info.ram) ? info.ram['page-size'] : undefined;
      if (ended) return typeof size === 'number' && size > 0 ? size : usualPageSize;
    }
    return usualPageSize;
  } catch (error) {
    if (error instanceof Disconnected) return larger[arch] ?? usualPageSize;
    throw error;
  } finally {
    await instance.dispose();
  }
}
