/** The number that the system knows a stream's socket by. */
import type { ByteStream } from './byte-stream.js';

/** `undefined` where there is no socket underneath, or none any more. */
export function socketNumber(stream: Pick<ByteStream, 'writable'>): number | undefined {
  const fd = (stream as unknown as { readonly _handle?: { readonly fd?: number } | null })._handle?.fd;
  return fd !== undefined && fd >= 0 ? fd : undefined;
}
