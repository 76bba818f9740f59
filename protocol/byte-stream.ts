/**
 * What is asked of a connection, whatever carries it: node's streams and sockets are such, and so are connections in memory
 * that do without their machinery.
 */
export interface ByteStream {
  /** False once our direction was ended, or the stream is gone. */
  readonly writable: boolean;
  readonly destroyed: boolean;
  /** Everything that was written has gone out, and its end. */
  readonly writableFinished: boolean;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end' | 'close' | 'drain', listener: () => void): unknown;
  once(event: 'end' | 'close' | 'drain', listener: () => void): unknown;
  off(event: 'data', listener: (chunk: Buffer) => void): unknown;
  /** False when the writer had better wait for `drain`. */
  write(chunk: Buffer | string, callback?: (error?: Error | null) => void): boolean;
  write(text: string, encoding: BufferEncoding, callback?: (error?: Error | null) => void): boolean;
  end(callback?: () => void): unknown;
  destroy(): unknown;
  pause(): unknown;
  resume(): unknown;
  cork(): void;
  uncork(): void;
  /** Writes bytes with descriptors of this process on the first of them, which stay open here; where there is a way. */
  writeWith?(bytes: Buffer, descriptors: readonly number[]): void;
}

/** What either direction tells. */
export interface ByteEnd {
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
}

/** The direction that is read. */
export type ByteSource = Pick<ByteStream, 'pause' | 'resume' | 'destroy' | 'off'> & {
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end' | 'close', listener: () => void): unknown;
  once(event: 'end' | 'close', listener: () => void): unknown;
};

/** The direction that is written. */
export type ByteSink = Pick<ByteStream, 'write' | 'end' | 'destroy' | 'destroyed' | 'cork' | 'uncork'> & {
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'close' | 'drain', listener: () => void): unknown;
  once(event: 'close' | 'drain', listener: () => void): unknown;
};
