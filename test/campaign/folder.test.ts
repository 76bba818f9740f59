import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Corpus } from '../../campaign/corpus.js';
import { Log, StorageError, writeFolder, writeWhole } from '../../campaign/folder.js';
import { KnownFindings } from '../../campaign/known.js';
import { CampaignFolderError, type CampaignHeader, Store } from '../../campaign/store.js';
import { withFolder } from '../cli/process.js';

const header: CampaignHeader = { campaign: 1, target: 'qemu', seed: 7, only: [] };

describe('the folder of a campaign', () => {
  it('goes on after a line that was cut off, and loses no whole one', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'log.ndjson');
      const first = Log.open(path);
      first.add({ event: 'progress', next: 3 });
      first.close();
      appendFileSync(path, '{"event":"progr');
      const second = Log.open(path);
      expect(second.before).to.deep.equal([{ event: 'progress', next: 3 }]);
      second.add({ event: 'end' });
      second.close();
      expect(readFileSync(path, 'utf8')).to.equal('{"event":"progress","next":3}\n{"event":"end"}\n');
    }));

  it('remembers progress and coverage, and the findings that were pending', () =>
    withFolder(async (folder) => {
      const place = join(folder, 'c');
      const store = Store.open(place, header);
      store.log.add({ event: 'progress', next: 5, cases: 4, commands: 90, duration: 1000, keys: ['a', 'b'] });
      store.log.add({ event: 'progress', next: 9, cases: 8, commands: 200, duration: 2000, keys: ['c'] });
      const symptom = { kind: 'hang', subject: 'no reply', rows: [], state: '', expected: [], got: '' } as const;
      const scenario = { scenario: 1, steps: [{ do: 'start', at: 'source' }] } as const;
      const origin = { source: 'walk', seed: 7, index: 3 };
      const file = { case: 1, title: '', signature: '0123abcd', symptom, origin, scenario, stepsBefore: 1 } as const;
      const name = store.hold(
        {
          ...file,
          reproduced: { times: 1, of: 1 },
          target: 'qemu',
          product: 'qemu',
          productVersion: '7.2',
          dialect: '7.2',
        },
        'transcript',
      );
      const again = Store.open(place, { ...header, seed: 99 });
      expect(again.resumed).to.equal(true);
      expect(again.header.seed).to.equal(7);
      expect(again.recall()).to.deep.equal({
        progress: { next: 9, cases: 8, commands: 200, duration: 2000 },
        keys: ['a', 'b', 'c'],
      });
      expect(again.pending().map((one) => [one.name, one.file.signature, one.transcript])).to.deep.equal([
        [name, '0123abcd', 'transcript'],
      ]);
      again.settle(name);
      expect(again.pending()).to.deep.equal([]);
    }));

  it('refuses a folder with another campaign, or with something else', () =>
    withFolder(async (folder) => {
      Store.open(join(folder, 'c'), header);
      expect(() => Store.open(join(folder, 'c'), { ...header, target: 'reference' })).to.throw(
        CampaignFolderError,
        'holds a campaign against qemu, not reference',
      );
      mkdirSync(join(folder, 'd'));
      writeFileSync(join(folder, 'd', 'letter.txt'), '');
      expect(() => Store.open(join(folder, 'd'), header)).to.throw(CampaignFolderError, 'letter.txt');
    }));

  it('is refused with the reason where a file has its name, or where there can be none', () =>
    withFolder(async (folder) => {
      const file = join(folder, 'file');
      writeFileSync(file, 'x');
      for (const make of [
        () => Store.open(file, header),
        () => Store.open(join(file, 'below'), header),
        () => new Corpus(file),
        () => writeWhole(join(file, 'case.json'), 'x'),
      ]) {
        expect(make).to.throw(StorageError, `${file} is a file, and no folder`);
      }
      if (existsSync('/proc/self'))
        expect(() => Store.open('/proc/qmpspec', header)).to.throw(
          StorageError,
          '/proc/qmpspec cannot be written: there is no such folder',
        );
    }));

  it('holds whole files or none', () =>
    withFolder(async (folder) => {
      writeFolder(join(folder, 'f'), [{ name: 'a', content: '1' }]);
      writeFolder(join(folder, 'f'), [{ name: 'b', content: '2' }]);
      expect(readdirSync(join(folder, 'f'))).to.deep.equal(['b']);
      writeFileSync(join(folder, 'file'), '');
      expect(() => writeWhole(join(folder, 'file', 'a'), 'content'))
        .to.throw(StorageError)
        .with.property('content', 'content');
      expect(existsSync(join(folder, 'file', 'a'))).to.equal(false);
      expect(readdirSync(folder).sort()).to.deep.equal(['f', 'file']);
    }));
});

describe('known findings', () => {
  it('are read with comments, and what is none is told with its line', () =>
    withFolder(async (folder) => {
      const file = join(folder, 'known');
      writeFileSync(file, '# ours\n0123abcd  # reported\n\nMIG-DEF-02\n');
      expect(() => KnownFindings.read(file)).not.to.throw();
      writeFileSync(file, '0123abcd\nthe second\n');
      expect(() => KnownFindings.read(file)).to.throw("line 2: 'the second' is neither");
      expect(() => KnownFindings.read(join(folder, 'none'))).to.throw('there is no such file');
    }));
});
