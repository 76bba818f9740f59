import { expect } from 'chai';
import { streamRules } from '../../../reference/dialects/stream.js';
import { AdoptedMachine } from '../../../reference/migration/adopted-machine.js';
import { createGuestRam } from '../../../reference/ram/guest-ram.js';
import { RamLoader } from '../../../reference/stream/ram-loader.js';
import type { StreamHandler } from '../../../reference/stream/stream-handler.js';
import { StreamReader } from '../../../reference/stream/stream-reader.js';
import { StreamWriter } from '../../../reference/stream/stream-writer.js';
import { recording, sha256, vector } from '../stream/recordings.js';

function adopt(bytes: Buffer, dialect: '3.0' | '7.2', pieces = 1000) {
  const ram = createGuestRam([{ name: 'ram', size: 4096 }]);
  const lines: string[] = [];
  const machine = new AdoptedMachine(ram, (line) => lines.push(line));
  const loader = new RamLoader(ram);
  const devices: Buffer[] = [];
  const handler: StreamHandler = {
    ...machine.handler,
    ramSetupBlock: (entry) => {
      machine.handler.ramSetupBlock?.(entry);
      loader.ramChanged();
    },
    ramPage: (block, offset, kind, data, start, length) => loader.ramPage(block, offset, kind, data, start, length),
    device: (section, body) => {
      machine.handler.device?.(section, body);
      devices.push(Buffer.from(body));
    },
  };
  const reader = new StreamReader({ rules: streamRules[dialect] }, handler);
  for (let at = 0; at < bytes.length; at += pieces) reader.push(bytes.subarray(at, at + pieces));
  reader.end();
  return { ram, machine, lines, devices };
}

describe('a machine that came with a stream', () => {
  for (const [file, dialect, name, count] of [
    ['3.0.50-pc.bin', '3.0', 'pc-i440fx-3.0', 20],
    ['7.2-microvm.bin', '7.2', 'microvm', 5],
  ] as const) {
    it(`is taken from ${file}: name, RAM and every device by its description`, () => {
      const { ram, machine, lines, devices } = adopt(vector(file), dialect);
      expect(machine.name).to.equal(name);
      expect(devices.length).to.be.at.least(count);
      expect(lines.at(-1)).to.match(new RegExp(`^took a machine '${name}' with ${devices.length} devices`));
      for (const [block, sum] of Object.entries(recording(file).ram ?? {})) {
        expect(sha256(ram.block(block)!.bytes), block).to.equal(sum);
      }
    });

    it(`is handed on from ${file} as it came, but for the run state`, () => {
      const bytes = vector(file);
      const { machine } = adopt(bytes, dialect);
      const writer = new StreamWriter(streamRules[dialect]);
      machine.write(writer, streamRules[dialect], 'running');
      const written = writer.out.takeJoined();
      // Up to the first byte of the run state the sections are those of the recording.
      const same = written.subarray(0, written.indexOf('globalstate'));
      expect(same.length).to.be.greaterThan(1000);
      expect(bytes.includes(same)).to.equal(true);
      expect(machine.description).to.equal(bytes.toString('latin1', bytes.length - (machine.description ?? '').length));
    });
  }

  it('is refused when a device is not what the description says', () => {
    const bytes = Buffer.from(vector('7.2-microvm.bin'));
    const at = bytes.lastIndexOf('"size": 4');
    bytes[at + 8] = '5'.charCodeAt(0);
    expect(() => adopt(bytes, '7.2')).to.throw(/device/);
  });

  it('is taken without a description that can be read, and says so', () => {
    const bytes = Buffer.from(vector('7.2-microvm.bin'));
    bytes[bytes.length - 1] = 0x20;
    expect(adopt(bytes, '7.2').lines.at(-1)).to.match(/cannot be read/);
  });

  it('is refused when it has more RAM than is possible here', () => {
    const ram = createGuestRam([{ name: 'ram', size: 4096 }]);
    const { handler } = new AdoptedMachine(ram, () => undefined);
    expect(() => handler.ramSetup?.(2 ** 33)).to.throw(/RAM size/);
    expect(ram.total).to.equal(4096);
  });
});
