import { expect } from 'chai';
import {
  type ColoMessage,
  coloMessages,
  decodeColoMessage,
  encodeColoMessage,
} from '../../../reference/stream/colo-messages.js';
import { deviceValues, type NamedValue } from '../../../reference/stream/device-values.js';
import type { DescribedSection } from '../../../reference/stream/vmdescription.js';
import { optionsOf, readAll, recordings, vector } from './recordings.js';

/** Values of every device of a recording. */
function devices(file: string): Map<string, NamedValue[]> {
  const entry = recordings.find((candidate) => candidate.file === file)!;
  const bytes = vector(file);
  const options = optionsOf(entry, bytes);
  const out = new Map<string, NamedValue[]>();
  readAll([bytes], options, {
    device: ({ idstr, instance }, body) => {
      const { device } = options.described!.find((s: DescribedSection) => s.name === idstr && s.instance === instance)!;
      out.set(`${idstr} ${instance}`, deviceValues(device, body));
    },
  });
  return out;
}

const value = (values: NamedValue[] | undefined, name: string) => values?.find((field) => field.name === name)?.value;

describe('device values (stream-format.md §6.2)', () => {
  it('of an empty machine', () => {
    const none = devices('3.0.50-none-zero.bin');
    expect(value(none.get('timer 0'), 'dummy')).to.equal(0);
    const runState = value(none.get('globalstate 0'), 'runstate');
    expect(Buffer.from(String(runState), 'hex').toString()).to.match(/^(running|prelaunch)\0+$/);
    expect(value(none.get('globalstate 0'), 'size')).to.be.oneOf([8, 10]);
  });

  it('of a pc, nested structures and arrays included', () => {
    const pc = devices('3.0.50-pc.bin');
    expect(pc.size).to.be.above(20);
    const cpu = pc.get('cpu 0')!;
    expect(cpu.find(({ name }) => name === 'env.eip')!.value).to.equal(0xfff0);
    expect(pc.get('i8259 0')!.map(({ name }) => name)).to.include.members(['last_irr', 'irr', 'imr', 'isr']);
  });
});

describe('COLO messages (stream-format.md §12)', () => {
  it('are read as they are written', () => {
    coloMessages.forEach((name, number) => {
      const message: ColoMessage = name === 'vmstate-size' ? { name, size: 123_456_789_012 } : { name };
      const bytes = encodeColoMessage(message);
      expect(bytes.readUInt32BE(0)).to.equal(number);
      for (let cut = 0; cut < bytes.length; cut++)
        expect(decodeColoMessage(bytes.subarray(0, cut))).to.equal(undefined);
      expect(decodeColoMessage(Buffer.concat([bytes, Buffer.from([1])]))).to.deep.equal({
        message,
        length: bytes.length,
      });
    });
    expect(() => decodeColoMessage(Buffer.from([0, 0, 0, 7]))).to.throw(RangeError, 'no COLO message 7');
  });
});
