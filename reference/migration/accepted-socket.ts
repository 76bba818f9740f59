import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';
import type { ChannelInput } from './channel.js';

/** What an accepted socket has underneath. */
interface Holder {
  _handle: { useUserBuffer?: unknown } | null;
}

/** A socket whose bytes all come into one piece of memory. */
export interface AcceptedSocket {
  readonly socket: Socket;
  /** Undefined where the socket's bytes come as its data, in new memory each time. */
  readonly input: ChannelInput | undefined;
}

/**
 * Makes a socket read into `room`. A socket can be told so only when it is made, and a server makes its own without being
 * asked: this one takes the connection over. Each read brings what is there, up to the whole room, where the event loop
 * would allocate 64 KiB for each.
 * @param accepted with `pauseOnConnect`, so that nothing of it has been read
 */
export function readInto(accepted: Socket, room: Buffer): AcceptedSocket {
  const holder = accepted as unknown as Holder;
  const handle = holder._handle;
  if (typeof handle?.useUserBuffer !== 'function') return { socket: accepted, input: undefined };
  let take: (chunk: Buffer) => boolean = () => true;
  const options: SocketConstructorOpts & { onread: OnReadOpts; handle: unknown; pauseOnCreate: boolean } = {
    handle,
    pauseOnCreate: true,
    allowHalfOpen: true,
    readable: true,
    writable: true,
    onread: { buffer: room, callback: (length) => take(room.subarray(0, length)) },
  };
  const socket = new Socket(options);
  holder._handle = null;
  // Nothing is left of it but its place in the server's count.
  accepted.destroy();
  return {
    socket,
    input: {
      begin(onData) {
        take = onData;
      },
    },
  };
}
