/** Messages that both sides exchange behind the stream of a COLO migration (stream-format.md §12). */
export const coloMessages = [
  'checkpoint-ready',
  'checkpoint-request',
  'checkpoint-reply',
  'vmstate-send',
  'vmstate-size',
  'vmstate-received',
  'vmstate-loaded',
] as const;
export type ColoMessageName = (typeof coloMessages)[number];

export interface ColoMessage {
  readonly name: ColoMessageName;
  /** Only with `vmstate-size`: bytes. */
  readonly size?: number;
}

export function encodeColoMessage({ name, size }: ColoMessage): Buffer {
  const bytes = Buffer.alloc(name === 'vmstate-size' ? 12 : 4);
  bytes.writeUInt32BE(coloMessages.indexOf(name));
  if (name === 'vmstate-size') bytes.writeBigUInt64BE(BigInt(size ?? 0), 4);
  return bytes;
}

/**
 * Decodes the message at the start of `bytes`.
 * @returns the message and its length, or undefined while it is incomplete
 * @throws RangeError for a number that no message has
 */
export function decodeColoMessage(bytes: Buffer): { message: ColoMessage; length: number } | undefined {
  if (bytes.length < 4) return undefined;
  const number = bytes.readUInt32BE(0);
  const name = coloMessages[number];
  if (name === undefined) throw new RangeError(`there is no COLO message ${number}`);
  if (name !== 'vmstate-size') return { message: { name }, length: 4 };
  if (bytes.length < 12) return undefined;
  return { message: { name, size: Number(bytes.readBigUInt64BE(4)) }, length: 12 };
}
