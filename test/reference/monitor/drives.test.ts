import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Drive } from '../../../reference/block/drive.js';
import { Drives } from '../../../reference/block/drives.js';
import { NodeBitmap } from '../../../reference/block/node-bitmap.js';
import { readBlockdev, readDrive } from '../../../reference/monitor/drive-options.js';
import { openDrives } from '../../../reference/monitor/open-drives.js';

describe('drives of the reference', () => {
  const folder = mkdtempSync(join(tmpdir(), 'drives-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const file = (bytes: number) => {
    const path = join(folder, `disk${bytes}`);
    writeFileSync(path, Buffer.alloc(bytes, 1));
    return path;
  };

  it('read and write a file, and neither past its end', () => {
    const path = file(10_000);
    const drive = new Drive('d0', { file: path });
    expect(drive.size).to.equal(10_000);
    expect(drive.read(9_990, 100)).to.deep.equal(Buffer.alloc(10, 1));
    drive.write(9_990, Buffer.alloc(100, 2));
    drive.close();
    expect(readFileSync(path)).to.deep.equal(Buffer.concat([Buffer.alloc(9_990, 1), Buffer.alloc(10, 2)]));
  });

  it('mark what is written in bitmaps that record', () => {
    const drives = new Drives([new Drive('n0', { size: 1_000_000 })]);
    const drive = drives.find('n0')!;
    drives.addBitmap(drive, 'fine', 4096);
    drives.addBitmap(drive, 'coarse');
    drives.addBitmap(drive, 'off', 4096, { disabled: true });
    drive.write(4095, Buffer.alloc(2));
    drive.write(999_999, Buffer.alloc(50));
    const counts = [...drive.bitmaps.values()].map(({ name, count }) => [name, count]);
    expect(counts).to.deep.equal([
      ['fine', 3 * 4096],
      ['coarse', 2 * 65536],
      ['off', 0],
    ]);
  });

  it('refuse bitmaps without a name, of an odd granularity, and twice the same', () => {
    const drive = new Drive('n0', { size: 4096 });
    const drives = new Drives([drive]);
    drives.addBitmap(drive, 'b', 512);
    expect(() => drives.addBitmap(drive, 'b')).to.throw('Bitmap already exists: b');
    expect(() => drives.addBitmap(drive, '')).to.throw('cannot be empty');
    for (const granularity of [0, 256, 513, 2 ** 32]) {
      expect(() => drives.addBitmap(drive, 'c', granularity)).to.throw('power of 2');
    }
  });

  it('take bits that came, and drop those past the end', () => {
    const bitmap = new NodeBitmap('b', 512, 512 * 20);
    bitmap.load(512 * 8, Buffer.from([0b101, 0xff, 0xff]));
    expect(Array.from({ length: 20 }, (_, n) => n).filter((n) => bitmap.has(n))).to.deep.equal([8, 10, 16, 17, 18, 19]);
  });

  it('are read from the command line, with clear errors', () => {
    const option = '-x';
    expect(readDrive('id=d0,if=none,file=/a,,b,format=raw', option)).to.deep.equal({
      option,
      name: 'd0',
      source: { file: '/a,b' },
    });
    expect(readBlockdev('driver=null-co,node-name=n,size=512', option).source).to.deep.equal({ size: 512 });
    expect(() => readDrive('id=d0,file=a,format=qcow2', option)).to.throw("Unknown driver 'qcow2'");
    expect(() => readDrive('file=a', option)).to.throw("'id' is missing");
    expect(() => readDrive('id=a,file=b,if=ide', option)).to.throw('if=ide');
    expect(() => readBlockdev('driver=qcow2,node-name=n', option)).to.throw('known are file, null-co');
    expect(() => readBlockdev('driver=file,node-name=n', option)).to.throw("'filename' is missing");
    expect(() => openDrives([{ option, name: 'd', source: { file: join(folder, 'none') } }])).to.throw(
      'No such file or directory',
    );
    const twice = { option, name: 'd', source: { size: 1 } };
    expect(() => openDrives([twice, twice])).to.throw("Duplicate ID 'd'");
  });
});
