import { expect } from 'chai';
import { leftInEmpty } from '../../oracle/packets.js';
import type { PacketInfo } from '../../reference/multifd/channel-reader.js';
import { packetBytes, packetLayout } from '../../reference/multifd/packet-layout.js';

describe('a packet without pages', () => {
  const empty = { pages: 0, zeroPages: 0, block: '' } as PacketInfo;
  const header = (release: '7.2' | '10.0', change: (bytes: Buffer) => void = () => undefined) => {
    const layout = packetLayout({ multifd: release });
    const bytes = Buffer.alloc(packetBytes(layout, layout.defaultPages));
    change(bytes);
    return { layout, bytes };
  };

  it('has nothing in it in later releases', () => {
    const { layout, bytes } = header('10.0');
    expect(leftInEmpty(empty, bytes, layout, undefined)).to.equal(undefined);
    for (const at of [15, 19, 23, 35, 64, 330]) {
      const other = header('10.0', (one) => one.writeUInt8(1, at)).bytes;
      expect(leftInEmpty(empty, other, layout, other), `byte ${at}`).to.match(/^0/);
      expect(leftInEmpty({ ...empty, pages: 1 }, other, layout, undefined)).to.equal(undefined);
    }
    const numbered = header('10.0', (one) => one.writeUInt8(1, 31)).bytes;
    expect(leftInEmpty(empty, numbered, layout, undefined)).to.equal(undefined);
  });

  it('has what the one before it had in earlier ones', () => {
    const { layout, bytes: none } = header('7.2');
    const before = header('7.2', (one) => one.fill(1, layout.blockName).writeUInt32BE(4096, 20)).bytes;
    for (const same of [none, before]) expect(leftInEmpty(empty, same, layout, before)).to.equal(undefined);
    expect(leftInEmpty(empty, before, layout, undefined)).to.match(/next_packet_size 4096/);
    const size = header('7.2', (one) => one.writeUInt32BE(8192, 20)).bytes;
    expect(leftInEmpty(empty, size, layout, before)).to.match(/next_packet_size 8192/);
    const block = header('7.2', (one) => one.writeUInt8(1, 64)).bytes;
    expect(leftInEmpty(empty, block, layout, before)).to.match(/another block/);
  });
});
