import { closeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import type { DescriptorPassing } from '../../protocol/descriptor-passing.js';

/** What a socket has underneath: it tells when something can be read, and how to be told. */
interface Handle {
  readonly fd: number;
  onread: () => void;
  useUserBuffer(buffer: Buffer): void;
  readStart(): number;
  readStop(): number;
}

/** Bytes of one read. */
const chunkBytes = 64 * 1024;

/**
 * The input of a unix socket with the descriptors that ride on its bytes. The event loop only says that there is something
 * (it is given no room to read into); the reading is done here, for the loop's own would lose the descriptors.
 */
export class DescriptorInput extends Readable {
  /** Told of each batch before the bytes that it came with (QMP-FD-01). */
  onDescriptors: (batch: readonly number[]) => void = (batch) => {
    for (const fd of batch) closeSync(fd);
  };
  readonly #handle: Handle;
  readonly #room = Buffer.alloc(chunkBytes);

  /** @param socket accepted with `pauseOnConnect`, so that nothing of it has been read */
  constructor(
    private readonly socket: Socket,
    private readonly passing: DescriptorPassing,
  ) {
    // One chunk at a time: a batch belongs to the bytes that are being read.
    super({ highWaterMark: 1 });
    this.#handle = (socket as unknown as { readonly _handle: Handle })._handle;
    this.#handle.useUserBuffer(Buffer.alloc(0));
    this.#handle.onread = () => this.#receive();
    socket.once('close', () => this.destroy());
  }

  override _read(): void {
    if (!this.socket.destroyed) this.#handle.readStart();
  }

  #receive(): void {
    if (this.socket.destroyed || this.readableEnded) return;
    try {
      const received = this.passing.receive(this.#handle.fd, this.#room);
      if (received === undefined) return;
      if (received.descriptors.length > 0) this.onDescriptors(received.descriptors);
      if (received.length === 0) this.#end();
      else if (!this.push(Buffer.from(this.#room.subarray(0, received.length)))) this.#handle.readStop();
    } catch (error) {
      this.#handle.readStop();
      this.socket.destroy(error as Error);
    }
  }

  /** The socket has to know of the end, too: it lets go of itself once both directions are done. */
  #end(): void {
    this.#handle.readStop();
    this.push(null);
    this.socket.push(null);
    this.socket.resume();
  }
}
