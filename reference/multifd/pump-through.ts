import type { Deflate, Inflate } from 'node:zlib';

/**
 * Runs parts through a zlib stream up to a flush point and collects what comes out. The stream stays open for the next
 * call.
 * @param flush the stream's flush operation
 * @param limit most bytes that may come out; more reject with RangeError
 */
export function pumpThrough(
  stream: Deflate | Inflate,
  parts: readonly Buffer[],
  flush: number,
  limit = Number.POSITIVE_INFINITY,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const out: Buffer[] = [];
    let bytes = 0;
    const stop = (): void => {
      stream.off('data', collect);
      stream.off('error', fail);
      stream.off('end', ended);
    };
    const fail = (error: Error): void => {
      stop();
      reject(error);
    };
    // A stream whose data say that they are complete unpacks no more, and would never answer the flush.
    const ended = (): void => fail(new RangeError('the compressed stream has ended'));
    const collect = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > limit) fail(new RangeError(`more than ${limit} bytes came out`));
      else out.push(chunk);
    };
    const settle = (): void => {
      // Output that was pushed while the stream was busy reaches the listener a tick later.
      if (stream.readableLength > 0 && !stream.destroyed) setImmediate(settle);
      else {
        stop();
        resolve(Buffer.concat(out));
      }
    };
    stream.on('error', fail);
    stream.on('end', ended);
    stream.on('data', collect);
    for (const part of parts) stream.write(part);
    stream.flush(flush, settle);
  });
}
