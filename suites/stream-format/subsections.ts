/** Subsections of the configuration, and the numbers in them. */
import type { Subsection } from '../../reference/stream/stream-writer.js';

export const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const str8 = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);

export const pageBits = (bits: number, version = 1): Subsection => {
  return { name: 'configuration/target-page-bits', version, body: u32(bits) };
};

export const capabilityList = (...names: readonly string[]): Subsection => {
  return {
    name: 'configuration/capabilities',
    version: 1,
    body: Buffer.concat([u32(names.length), ...names.map(str8)]),
  };
};
