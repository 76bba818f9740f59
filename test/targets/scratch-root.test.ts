import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { expect } from 'chai';
import { makeScratchRoot, noRoomLeft, ScratchError, temporaryFolder } from '../../targets/scratch-root.js';

describe('the folder of a run', () => {
  const former = process.env.TMPDIR;
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'qmpspec-test-'));
  });
  afterEach(() => {
    if (former === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = former;
    rmSync(folder, { recursive: true, force: true });
  });
  const within = (name: string): string => {
    const path = join(folder, name);
    mkdirSync(path);
    process.env.TMPDIR = path;
    return path;
  };

  it('is made where temporary files go, and is for us alone', () => {
    const path = within('with a blank');
    const root = makeScratchRoot();
    expect(dirname(root)).to.equal(path);
    expect(statSync(root).mode & 0o777).to.equal(0o700);
  });

  it('has an absolute path, since targets run elsewhere', () => {
    const path = within('here');
    process.env.TMPDIR = relative(process.cwd(), path);
    expect(temporaryFolder()).to.equal(path);
  });

  for (const [what, name] of [
    ['ends an option', 'a,b'],
    ['quotes', 'a"b'],
    ['ends an address', 'a:b'],
    ['is long', 'x'.repeat(70)],
  ] as const) {
    it(`is made in the usual place where the other one's path ${what}`, () => {
      within(name);
      expect(temporaryFolder()).to.equal('/tmp');
    });
  }

  it('that cannot be made is told with its reason', () => {
    const absent = join(folder, 'absent');
    expect(() => makeScratchRoot(absent)).to.throw(
      ScratchError,
      `no folder for temporary files can be made in ${absent}: there is no such folder`,
    );
    expect(() => makeScratchRoot(process.execPath)).to.throw(
      ScratchError,
      'it is no folder (TMPDIR names another one)',
    );
  });

  it('that has no room left is told, by the error or by what is free', () => {
    const error = Object.assign(new Error('x'), { code: 'ENOSPC', path: '/x/image' });
    expect(noRoomLeft(error, folder)).to.equal(
      'the disk is full: there is no room for /x/image (TMPDIR names another folder)',
    );
    expect(noRoomLeft(new Error('x'), folder, 1000)).to.equal(
      `the disk is full: there is no room for ${folder} (TMPDIR names another folder)`,
    );
    expect(noRoomLeft(new Error('x'), folder, 2 ** 30)).to.equal(undefined);
    expect(noRoomLeft(new Error('x'), join(folder, 'absent'))).to.equal(undefined);
  });
});
