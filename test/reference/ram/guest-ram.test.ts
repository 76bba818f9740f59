import { expect } from 'chai';
import { compressedPageBound, compressPage, decompressPage } from '../../../reference/ram/compress-page.js';
import { DirtyBitmap } from '../../../reference/ram/dirty-bitmap.js';
import { createGuestRam, pageSize } from '../../../reference/ram/guest-ram.js';
import { MigrationBitmap } from '../../../reference/ram/migration-bitmap.js';
import { isZeroPage } from '../../../reference/ram/zero-page.js';
import { seeded } from '../stream/recordings.js';

describe('DirtyBitmap', () => {
  it('behaves like a set of numbers', () => {
    const random = seeded(4);
    for (const pages of [1, 31, 32, 33, 64, 200]) {
      const bitmap = new DirtyBitmap(pages);
      const set = new Set<number>();
      for (let i = 0; i < 2000; i++) {
        const page = Math.floor(random() * pages);
        const to = page + Math.floor(random() * (pages - page + 1));
        switch (Math.floor(random() * 6)) {
          case 0:
            expect(bitmap.set(page)).to.equal(!set.has(page));
            set.add(page);
            break;
          case 1:
            expect(bitmap.clear(page)).to.equal(set.delete(page));
            break;
          case 2:
            bitmap.setRange(page, to);
            for (let p = page; p < to; p++) set.add(p);
            break;
          case 3: {
            let removed = 0;
            for (let p = page; p < to; p++) if (set.delete(p)) removed++;
            expect(bitmap.clearRange(page, to)).to.equal(removed);
            break;
          }
          case 4: {
            const after = [...set].filter((p) => p >= page).sort((a, b) => a - b);
            expect(bitmap.next(page)).to.equal(after[0] ?? -1);
            break;
          }
          default: {
            let clear = page;
            while (clear < pages && set.has(clear)) clear++;
            expect(bitmap.nextClear(page)).to.equal(clear);
          }
        }
        expect(bitmap.count).to.equal(set.size);
        expect(bitmap.has(page)).to.equal(set.has(page));
      }
      const other = new DirtyBitmap(pages);
      other.setComplement(bitmap);
      expect(other.count).to.equal(pages - set.size);
      for (let p = 0; p < pages; p++) expect(other.has(p)).to.equal(!set.has(p));
      const wire = bitmap.toWire();
      expect(wire.length % 8).to.equal(0);
      const again = DirtyBitmap.fromWire(wire, pages);
      expect([...again.words]).to.deep.equal([...bitmap.words]);
      expect(other.take(bitmap)).to.equal(set.size);
      expect(other.count).to.equal(pages);
      expect(bitmap.count).to.equal(0);
    }
  });

  it('refuses pages and sizes that do not exist', () => {
    const bitmap = new DirtyBitmap(10);
    expect(() => bitmap.set(10)).to.throw(RangeError);
    expect(() => bitmap.setRange(3, 11)).to.throw(RangeError);
    expect(() => DirtyBitmap.fromWire(Buffer.alloc(16), 10)).to.throw(RangeError);
  });
});

describe('guest RAM', () => {
  it('logs writes only while somebody harvests them', () => {
    const ram = createGuestRam([
      { name: 'pc.ram', size: 8 * pageSize },
      { name: 'vga', size: 4 * pageSize },
    ]);
    const [first, second] = [ram.blocks[0]!, ram.block('vga')!];
    expect([ram.total, second.base]).to.deep.equal([12 * pageSize, 8 * pageSize]);
    ram.write(first, 5, Buffer.from('x'));
    expect(first.dirtyLog.count).to.equal(0);
    ram.logging = true;
    ram.write(first, pageSize - 1, Buffer.alloc(pageSize + 2, 7));
    ram.markDirty(second, 3 * pageSize, 1);
    ram.markDirty(second, 0, 0);
    const bitmap = new MigrationBitmap(ram);
    bitmap.of(first).set(1);
    expect(bitmap.sync()).to.equal(3);
    expect(bitmap.count).to.equal(4);
    expect([bitmap.of(first).has(0), bitmap.of(first).has(2), bitmap.of(second).next(0)]).to.deep.equal([
      true,
      true,
      3,
    ]);
    expect(bitmap.sync()).to.equal(0);
    bitmap.setAll();
    expect(bitmap.count).to.equal(12);
  });

  it('refuses what the wire cannot carry and writes outside a block', () => {
    for (const specs of [
      [{ name: '', size: pageSize }],
      [{ name: 'a'.repeat(256), size: pageSize }],
      [{ name: 'a', size: 100 }],
      [{ name: 'a', size: 0 }],
      [
        { name: 'a', size: pageSize },
        { name: 'a', size: pageSize },
      ],
    ]) {
      expect(() => createGuestRam(specs)).to.throw(RangeError);
    }
    const ram = createGuestRam([{ name: 'a', size: pageSize }]);
    ram.logging = true;
    expect(() => ram.write(ram.blocks[0]!, pageSize - 1, Buffer.alloc(2))).to.throw(RangeError);
    expect(() => ram.markDirty(ram.blocks[0]!, pageSize, 1)).to.throw(RangeError);
  });
});

describe('page helpers', () => {
  it('find any byte that is not zero', () => {
    const buffer = Buffer.alloc(2 * pageSize + 8);
    expect(isZeroPage(buffer, 3)).to.equal(true);
    for (let at = 0; at < pageSize; at++) {
      buffer[3 + at] = 1;
      expect(isZeroPage(buffer, 3), `byte ${at}`).to.equal(false);
      buffer[3 + at] = 0;
    }
    buffer[2] = 1;
    buffer[3 + pageSize] = 1;
    expect(isZeroPage(buffer, 3)).to.equal(true);
  });

  it('compress pages as a receiver expects (stream-format.md §5.3)', () => {
    const random = seeded(5);
    const noise = Buffer.from(Array.from({ length: pageSize }, () => Math.floor(random() * 256)));
    const headers = ['7801', '7801', '785e', '785e', '785e', '785e', '789c', '78da', '78da', '78da'];
    for (let level = 0; level < 10; level++) {
      const data = compressPage(noise, 0, level);
      expect(data.length).to.be.at.most(compressedPageBound);
      if (level === 0) expect(data.length).to.equal(4107);
      expect(data.subarray(0, 2).toString('hex')).to.equal(headers[level]);
      const page = Buffer.alloc(pageSize);
      expect(decompressPage(data, page, 0)).to.equal(pageSize);
      expect(page.equals(noise)).to.equal(true);
      const junk = Buffer.concat([data, Buffer.from('junk')]);
      expect(decompressPage(junk, page, 0), 'bytes behind the stream').to.equal(pageSize);
      expect(decompressPage(data.subarray(0, -1), page, 0), 'cut').to.equal(-1);
      data[data.length - 1]! ^= 1;
      expect(decompressPage(data, page, 0), 'wrong checksum').to.equal(-1);
    }
    expect(decompressPage(Buffer.alloc(0), Buffer.alloc(pageSize), 0)).to.equal(-1);
  });

  it('leave the rest of a page alone when the data are short, and refuse more than a page', async () => {
    const { deflateSync } = await import('node:zlib');
    const page = Buffer.alloc(pageSize, 9);
    expect(decompressPage(deflateSync(Buffer.from('abc')), page, 0)).to.equal(3);
    expect(page.subarray(0, 5).toString('latin1')).to.equal('abc\t\t');
    expect(decompressPage(deflateSync(Buffer.alloc(pageSize + 1)), page, 0)).to.equal(-1);
    expect(decompressPage(deflateSync(Buffer.alloc(100 * 1024 * 1024)), page, 0)).to.equal(-1);
  });
});
