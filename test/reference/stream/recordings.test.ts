import { expect } from 'chai';
import { StreamError } from '../../../reference/stream/stream-error.js';
import { StreamReader } from '../../../reference/stream/stream-reader.js';
import { describedSections, findVmdescription, parseVmdescription } from '../../../reference/stream/vmdescription.js';
import { fragments, Loading, optionsOf, readAll, recordings, rulesOf, seeded, sha256, vector } from './recordings.js';
import { StreamCopier } from './stream-copier.js';

const alone = recordings.filter((entry) => entry.type === 'main' && entry.resume_of === undefined);
const whole = alone.filter((entry) => entry.cut !== true);

describe('recorded streams', () => {
  it('are all there, unchanged', () => {
    expect(recordings).to.have.length(70);
    for (const entry of recordings) expect(sha256(vector(entry.file)), entry.file).to.equal(entry.sha256);
  });

  for (const entry of whole) {
    describe(entry.file, () => {
      const bytes = vector(entry.file);

      it('decodes to its last byte and to the RAM that the source had', () => {
        const loading = new Loading();
        const reader = readAll([bytes], optionsOf(entry, bytes), loading);
        expect(reader.status).to.equal('complete');
        expect(reader.takeRest()).to.have.length(0);
        expect(reader.offset).to.equal(bytes.length);
        expect(loading.messages).to.deep.equal([]);
        expect(loading.counts()).to.deep.equal(entry.counts);
        // Multifd pages come over the channels, and shared memory is not sent at all.
        if (Object.keys(entry.ram ?? {}).length > 0 && entry.channels === undefined) {
          expect(loading.hashes()).to.deep.equal(entry.ram);
        }
      });

      it('gives the same result in any fragmentation', () => {
        const random = seeded(bytes.length);
        const tiny = bytes.length < 130_000 ? [() => 1, () => 3] : [];
        for (const next of [...tiny, () => 4096, () => 1 + Math.floor(random() ** 3 * 9000)]) {
          const loading = new Loading();
          const reader = readAll(fragments(bytes, next), optionsOf(entry, bytes), loading);
          expect(reader.status).to.equal('complete');
          expect(loading.counts()).to.deep.equal(entry.counts);
          if (Object.keys(entry.ram ?? {}).length > 0 && entry.channels === undefined) {
            expect(loading.hashes()).to.deep.equal(entry.ram);
          }
        }
      });

      it('gives the same result out of one piece of memory that is used again and again', () => {
        for (const size of [64, 5000]) {
          const memory = Buffer.alloc(size);
          const loading = new Loading();
          const reader = new StreamReader(optionsOf(entry, bytes), loading);
          for (let at = 0; at < bytes.length; at += size) {
            const length = bytes.copy(memory, 0, at, Math.min(at + size, bytes.length));
            reader.push(memory.subarray(0, length));
            reader.detach();
            memory.fill(0xee);
          }
          reader.end();
          expect(reader.status).to.equal('complete');
          expect(reader.offset).to.equal(bytes.length);
          expect(loading.counts()).to.deep.equal(entry.counts);
          if (Object.keys(entry.ram ?? {}).length > 0 && entry.channels === undefined) {
            expect(loading.hashes()).to.deep.equal(entry.ram);
          }
        }
      });

      // Pages at fixed places of a file are read only.
      if (entry.caps?.['mapped-ram'] === true) return;
      it('is written again byte for byte', () => {
        const options = optionsOf(entry, bytes);
        const copier = new StreamCopier(rulesOf(entry), { footers: entry.footers !== false, chunkBytes: 5000 });
        readAll([bytes], options, copier);
        expect(copier.writer.out.total).to.equal(bytes.length);
        expect(copier.writer.out.takeJoined().equals(bytes)).to.equal(true);
      });
    });
  }

  it('describe every FULL section to its last byte', () => {
    for (const entry of whole) {
      const bytes = vector(entry.file);
      const text = findVmdescription(bytes);
      if (text === undefined) continue;
      const described = describedSections(parseVmdescription(text));
      const seen: [string, number, number][] = [];
      readAll([bytes], optionsOf(entry, bytes), {
        device: (section, body) => seen.push([section.idstr, section.instance, body.length]),
      });
      expect(seen, entry.file).to.deep.equal(described.map(({ name, instance, size }) => [name, instance, size]));
    }
  });

  it('can be read without their vmdescription, device sections by searching for the footer', () => {
    for (const file of ['3.0.50-pc.bin', '7.2-microvm.bin']) {
      const entry = recordings.find((candidate) => candidate.file === file)!;
      const bytes = vector(file);
      const { described: _, ...options } = optionsOf(entry, bytes);
      for (const chunks of [[bytes], fragments(bytes, () => 1000)]) {
        const loading = new Loading();
        expect(readAll(chunks, options, loading).status).to.equal('complete');
        expect(loading.hashes()).to.deep.equal(entry.ram);
      }
    }
  });
});

describe('recorded interrupted postcopy', () => {
  for (const second of recordings.filter((entry) => entry.resume_of !== undefined)) {
    it(`${second.file} goes on where the first connection was cut`, () => {
      const first = recordings.find((entry) => entry.file === second.resume_of)!;
      const loading = new Loading();
      const reader = new StreamReader(optionsOf(first, vector(first.file)), loading);
      reader.push(vector(first.file));
      let error: unknown;
      try {
        reader.end();
      } catch (thrown) {
        error = thrown;
      }
      expect(error).to.be.instanceOf(StreamError);
      expect((error as StreamError).lines.at(-1)).to.equal('Detected IO failure for postcopy. Migration paused.');
      const { ram: _, ...counted } = { ...loading.counts(), ram: 0 };
      expect(counted).to.deep.equal(first.counts);

      const before = loading.counts();
      const bytes = vector(second.file);
      const again = new StreamReader({ ...optionsOf(second, bytes), state: reader.state }, loading);
      again.push(bytes);
      again.end();
      expect(again.status).to.equal('complete');
      expect(loading.hashes()).to.deep.equal(second.ram);
      const after = loading.counts();
      const own = Object.fromEntries(Object.keys(second.counts!).map((key) => [key, after[key]! - (before[key] ?? 0)]));
      expect(own).to.deep.equal(second.counts);
      expect(loading.commands).to.include.members(['RECV_BITMAP', 'POSTCOPY_RESUME']);
    });
  }
});
