import { createRequire } from 'node:module';
import type { ContinuousCompressor } from './continuous-codec.js';

/** The part of the WebAssembly binding that is used: a streaming compressor that can flush. */
interface CompressStream {
  begin(level: number): boolean;
  transform(chunk: Uint8Array, output: (chunk: Uint8Array) => void): boolean;
  flush(output: (chunk: Uint8Array) => void): boolean;
  delete(): void;
}
interface Binding {
  readonly ZstdCompressStreamBinding: new () => CompressStream;
}

let loading: Promise<Binding> | undefined;

/** Loads the WebAssembly module on first use: most migrations never need it. */
function binding(): Promise<Binding> {
  loading ??= new Promise((resolve) => {
    const module = createRequire(import.meta.url)('zstd-codec/lib/module.js') as {
      run(use: (binding: Binding) => void): void;
    };
    // The module object has a `then` method that resolves to itself: handing it to a promise would spin for ever.
    module.run(({ ZstdCompressStreamBinding }) => resolve({ ZstdCompressStreamBinding }));
  });
  return loading;
}

/** One zstd frame that is never ended, flushed after each packet. @param level 0 (the default level) to 20 */
export async function createZstdCompressor(level: number): Promise<ContinuousCompressor> {
  const { ZstdCompressStreamBinding } = await binding();
  const stream = new ZstdCompressStreamBinding();
  const refuse = (): never => {
    throw new RangeError('zstd compression failed');
  };
  if (!stream.begin(level)) refuse();
  return {
    async feed(parts) {
      const out: Buffer[] = [];
      const collect = (chunk: Uint8Array): void => {
        out.push(Buffer.from(chunk));
      };
      for (const part of parts) if (!stream.transform(part, collect)) refuse();
      if (!stream.flush(collect)) refuse();
      return Buffer.concat(out);
    },
    close() {
      stream.delete();
    },
  };
}
