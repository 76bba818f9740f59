/**
 * File descriptors over unix sockets (SCM_RIGHTS; qmp-protocol.md §14). Node has no call for them, so the C library's are
 * called through koffi, an optional dependency: without it, or on another system than 64-bit Linux, descriptors cannot
 * travel and everything else works.
 */
import { getSystemErrorName } from 'node:util';
import { type Koffi, nativeCalls } from './native.js';

/** One message as the kernel handed it over. */
export interface ReceivedBytes {
  /** Bytes put into the buffer; 0 is the end of the stream. */
  readonly length: number;
  /** New descriptors of this process, in the sender's order; whoever gets them closes them. */
  readonly descriptors: readonly number[];
}

export interface DescriptorPassing {
  /** Receives once without waiting; undefined when nothing is there. @throws Error with the system's code */
  receive(socket: number, into: Buffer): ReceivedBytes | undefined;
  /** Sends once without waiting; answers how many bytes went, with the first of them the descriptors. @throws Error with the system's code */
  send(socket: number, bytes: Buffer, descriptors: readonly number[]): number;
  /** Two connected unix stream sockets. */
  socketPair(): [number, number];
}

/** The two ends of a pipe come from the kernel as two `int`. */
const intBytes = 4;
/** `struct cmsghdr` on 64-bit Linux: length (8), level (4), type (4). */
const headerBytes = 16;
/** At most this many descriptors of one message are received (QMP-FD-03). */
const mostDescriptors = 16;
const [solSocket, scmRights] = [1, 1];
const [afUnix, sockStream, sockCloexec] = [1, 1, 0o2000000];
const [dontWait, cloexec, noSignal] = [0x40, 0x40000000, 0x4000];

let loaded: Promise<DescriptorPassing | undefined> | undefined;

/** The means to pass descriptors; undefined where there are none. Loads them at the first call. */
export function descriptorPassing(): Promise<DescriptorPassing | undefined> {
  loaded ??= nativeCalls().then((koffi) => (koffi === undefined ? undefined : bind(koffi)));
  return loaded;
}

/** `struct msghdr` as koffi passes it. */
interface MessageHeader {
  msg_name: null;
  msg_namelen: number;
  msg_iov: { iov_base: Buffer; iov_len: number }[];
  msg_iovlen: number;
  msg_control: Buffer | null;
  msg_controllen: number | bigint;
  msg_flags: number;
}

function bind(koffi: Koffi): DescriptorPassing {
  const library = koffi.load(null);
  const vector = koffi.struct({ iov_base: 'void *', iov_len: 'size_t' });
  const header = koffi.struct({
    msg_name: 'void *',
    msg_namelen: 'uint32_t',
    msg_iov: koffi.pointer(vector),
    msg_iovlen: 'size_t',
    msg_control: 'void *',
    msg_controllen: 'size_t',
    msg_flags: 'int',
  });
  const recvmsg = library.func('recvmsg', 'int64_t', ['int', koffi.inout(koffi.pointer(header)), 'int']);
  const sendmsg = library.func('sendmsg', 'int64_t', ['int', koffi.pointer(header), 'int']);
  const socketpair = library.func('socketpair', 'int', ['int', 'int', 'int', 'void *']);
  const message = (bytes: Buffer, control: Buffer | null): MessageHeader => ({
    msg_name: null,
    msg_namelen: 0,
    msg_iov: [{ iov_base: bytes, iov_len: bytes.length }],
    msg_iovlen: 1,
    msg_control: control,
    msg_controllen: control?.length ?? 0,
    msg_flags: 0,
  });
  const failed = (call: string): Error => {
    const code = getSystemErrorName(-koffi.errno());
    return Object.assign(new Error(`${call}: ${code}`), { code });
  };
  const wouldWait = (): boolean => ['EAGAIN', 'EINTR'].includes(getSystemErrorName(-koffi.errno()));
  const arrived = Buffer.alloc(headerBytes + mostDescriptors * intBytes);
  return {
    receive(socket, into) {
      const received = message(into, arrived);
      const length = Number(recvmsg(socket, received, dontWait | cloexec));
      if (length < 0 && wouldWait()) return undefined;
      if (length < 0) throw failed('recvmsg');
      return { length, descriptors: descriptorsIn(arrived.subarray(0, Number(received.msg_controllen))) };
    },
    send(socket, bytes, descriptors) {
      const control = descriptors.length === 0 ? null : controlMessage(descriptors);
      const length = Number(sendmsg(socket, message(bytes, control), dontWait | noSignal));
      if (length < 0 && wouldWait()) return 0;
      if (length < 0) throw failed('sendmsg');
      return length;
    },
    socketPair() {
      const ends = Buffer.alloc(2 * intBytes);
      if (socketpair(afUnix, sockStream | sockCloexec, 0, ends) !== 0) throw failed('socketpair');
      return [ends.readInt32LE(0), ends.readInt32LE(intBytes)];
    },
  };
}

function controlMessage(descriptors: readonly number[]): Buffer {
  const length = headerBytes + descriptors.length * intBytes;
  const control = Buffer.alloc(Math.ceil(length / 8) * 8);
  control.writeBigUInt64LE(BigInt(length), 0);
  control.writeInt32LE(solSocket, 8);
  control.writeInt32LE(scmRights, 12);
  descriptors.forEach((descriptor, index) => {
    control.writeInt32LE(descriptor, headerBytes + index * intBytes);
  });
  return control;
}

function descriptorsIn(control: Buffer): number[] {
  const descriptors: number[] = [];
  for (let at = 0; at + headerBytes <= control.length; ) {
    const length = Number(control.readBigUInt64LE(at));
    if (length < headerBytes) break;
    const rights = control.readInt32LE(at + 8) === solSocket && control.readInt32LE(at + 12) === scmRights;
    const end = Math.min(at + length, control.length);
    for (let fd = at + headerBytes; rights && fd + intBytes <= end; fd += intBytes) {
      descriptors.push(control.readInt32LE(fd));
    }
    at += Math.ceil(length / 8) * 8;
  }
  return descriptors;
}
